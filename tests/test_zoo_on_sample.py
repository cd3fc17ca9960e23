# SPDX-License-Identifier: Apache-2.0
"""Shipped networks on frames of the sample bag.

None takes the sky for something near, which no table of errors would show, and INT8 sees the classes of FP32.
"""

from pathlib import Path

import numpy as np
import pytest
from depth_replay.bags.bag import read_bag
from depth_replay.messages import topics
from depth_replay.messages.definitions import header_stamp_ns
from depth_replay.scoring.truth import read_camera, read_pixels, read_truth
from depth_runtime.backends import make_backend
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.zoo import resolve_model

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "samples" / "stereo_sample.mcap"
ZOO = sorted(path.stem for path in (ROOT / "models" / "zoo").glob("*/*.onnx"))
EVERY = 30  # frames of 80
MOST_NEAR = {"hnet": 0.2}  # fraction of the sky; self-supervised, so no truth has told it what the sky is
FAR_PX = 512.0 * 0.42 / 50  # disparity at 50 m: focal length times baseline of the sample's cameras


@pytest.fixture(scope="module")
def frames():
    """(pair, sky) of some frames: images by input name, RGB uint8, and bool."""
    sides = {"left": topics.compressed(topics.LEFT_IMAGE), "right": topics.compressed(topics.RIGHT_IMAGE)}
    views = {name: {header_stamp_ns(m.data): m for m in read_bag(SAMPLE, {topic})} for name, topic in sides.items()}
    truth = read_truth(SAMPLE, read_camera(SAMPLE))
    sky_id = next(label["id"] for label in truth.labels if label["name"] == "sky")
    stamps = sorted(views["left"])[::EVERY]
    return [({name: read_pixels(view[s]) for name, view in views.items()}, truth.semantic(s) == sky_id) for s in stamps]


def make_pipeline(name: str) -> StereoPipeline:
    backend = make_backend(resolve_model(name), "onnxruntime-cpu", threads=2)
    return StereoPipeline(backend, backend.spec.default_size)


@pytest.mark.parametrize("name", ZOO)
def test_the_sky_is_far(name, frames):
    pipeline = make_pipeline(name)
    near = [pipeline.process(pair, set()).disparity_px[sky] > FAR_PX for pair, sky in frames]
    near = np.concatenate(near)
    assert near.size > 10_000
    assert near.mean() < MOST_NEAR.get(name, 0.1)


@pytest.mark.parametrize("name", [name for name in ZOO if name.endswith("_int8")])
def test_int8_sees_the_classes_of_fp32(name, frames):
    int8, fp32 = (make_pipeline(file) for file in (name, name.removesuffix("_int8")))
    for pair, _ in frames:
        classes = [pipeline.process(pair, {"semantic"}).panoptic.semantic.copy() for pipeline in (int8, fp32)]
        assert (classes[0] == classes[1]).mean() > 0.98
