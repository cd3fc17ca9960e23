# SPDX-License-Identifier: Apache-2.0
"""Frames of the sample bag in every encoding, through the node's decoder: the disparity of rgb8, and the truth."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")

from depth_nodes.images import ImageDecoder
from depth_replay.bags.bag import read_bag
from depth_replay.messages import topics
from depth_replay.messages.definitions import header_stamp_ns
from depth_replay.scoring.truth import read_camera, read_pixels, read_truth
from depth_runtime.backends import make_backend
from depth_runtime.color import ENCODINGS, PLANAR, is_mosaic
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.zoo import resolve_model
from encoded_images import encoded_as
from sensor_msgs.msg import CompressedImage
from stereo_messages import make_image

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "stereo_sample.mcap"
FRAMES = (5, 60)  # of 80
SIDES = ("left", "right")
COLOUR_PX, GREY_PX = 0.05, 0.3


@pytest.fixture(scope="module")
def frames():
    """(left and right RGB by name, true disparity) of some frames."""
    names = dict(zip(SIDES, (topics.LEFT_IMAGE, topics.RIGHT_IMAGE), strict=True))
    views = {
        side: {header_stamp_ns(m.data): m for m in read_bag(SAMPLE, {topics.compressed(topic)})}
        for side, topic in names.items()
    }
    truth = read_truth(SAMPLE, read_camera(SAMPLE))
    stamps = [sorted(views["left"])[number] for number in FRAMES]
    return [({side: read_pixels(views[side][stamp]) for side in SIDES}, truth.disparity(stamp)) for stamp in stamps]


@pytest.fixture(scope="module")
def pipeline():
    backend = make_backend(resolve_model("stereo_xs"), "onnxruntime-cpu", threads=2)
    return StereoPipeline(backend, backend.spec.default_size)


@pytest.fixture(scope="module")
def reference(frames, pipeline):
    """Disparity of each frame in rgb8."""
    return [pipeline.process(pair, set()).disparity_px.copy() for pair, _ in frames]


def disparities(pipeline, frames, make):
    """Disparity of each frame whose images make(rgb) turned into messages."""
    decoder, maps = ImageDecoder(str), []
    for pair, _ in frames:
        messages = {side: make(pair[side]) for side in SIDES}
        images, encodings = decoder.decode(messages, {side: side for side in SIDES})
        maps.append(pipeline.process(images, set(), encodings).disparity_px.copy())
    return maps


def apart(maps, reference):
    return np.mean([np.abs(one - other).mean() for one, other in zip(maps, reference, strict=True)])


def as_message(rgb, encoding, shift=0):
    pixels = encoded_as(rgb, encoding) >> shift
    made = make_image(pixels, encoding)
    made.height = rgb.shape[0]
    return made


@pytest.mark.parametrize("encoding", [*ENCODINGS, *PLANAR])
def test_every_encoding_gives_the_disparity_of_rgb8(encoding, frames, pipeline, reference):
    grey = is_mosaic(encoding) or encoding.startswith("mono") or encoding.endswith("UC1")
    maps = disparities(pipeline, frames, lambda rgb: as_message(rgb, encoding))
    assert apart(maps, reference) < (GREY_PX if grey else COLOUR_PX)


def epe(maps, frames):
    known = [np.isfinite(truth) for _, truth in frames]
    return np.mean([np.abs(m - truth)[k].mean() for m, (_, truth), k in zip(maps, frames, known, strict=True)])


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("encoding", ["mono16", "bayer_rggb16"])
def test_some_bits_of_sixteen_cost_no_accuracy(encoding, bits, frames, pipeline):
    whole = epe(disparities(pipeline, frames, lambda rgb: as_message(rgb, encoding)), frames)
    few = epe(disparities(pipeline, frames, lambda rgb: as_message(rgb, encoding, 16 - bits)), frames)
    assert few == pytest.approx(whole, abs=0.01)


@pytest.mark.parametrize(
    "name", ["bayer_rggb8; png compressed ", "mono16; png compressed ", "rgb8; png compressed bgr8"]
)
def test_compressed_images_give_the_disparity_of_rgb8(name, frames, pipeline, reference):
    encoding = name.partition(";")[0]

    def make(rgb):
        pixels = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR) if encoding == "rgb8" else encoded_as(rgb, encoding)
        return CompressedImage(format=name, data=cv2.imencode(".png", pixels)[1].tobytes())

    maps = disparities(pipeline, frames, make)
    assert apart(maps, reference) < (1e-6 if encoding == "rgb8" else GREY_PX)
