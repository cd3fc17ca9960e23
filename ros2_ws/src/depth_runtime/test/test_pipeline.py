# SPDX-License-Identifier: Apache-2.0
"""Pipelines fill a network's inputs by name, whatever they are, and undo its outputs in one way for every task."""

from dataclasses import replace

import numpy as np
import pytest
from depth_runtime.pipeline import MonoPipeline, StereoPipeline
from depth_runtime.results import MonoResult, StereoResult
from depth_runtime.spec import Label, ModelSpec, SpecError

LABELS = (Label(0, "road", (1, 2, 3)), Label(200, "vehicle", (4, 5, 6), thing=True))
STEREO = ModelSpec(
    name="fixed",
    version="1",
    task="stereo",
    size_multiple=32,
    default_size=(32, 64),
    outputs={"disparity": 1, "confidence": 2, "semantic": 2, "instance_center": 4, "instance_offset": 4},
    max_disparity=64.0,
    labels=LABELS,
)
MONO = replace(
    STEREO,
    task="mono",
    inputs=("image",),
    outputs={"depth" if name == "disparity" else name: stride for name, stride in STEREO.outputs.items()},
    max_disparity=None,
    canonical_focal_px=500.0,
)
REGIONS = replace(STEREO, inputs=("left", "right", "regions"))


class FixedBackend:
    """Keeps its inputs and returns the same maps [h, w] or [2, h, w] every time; 7 px or m everywhere if not given."""

    name, device, fallback_reason = "fixed", "here", ""

    def __init__(self, spec: ModelSpec, **maps: np.ndarray) -> None:
        self.spec, self.maps = spec, maps

    def prepare(self, size):
        self.buffers = {name: np.zeros((1, *size, 3), np.uint8) for name in self.spec.inputs}
        main = np.full(size, 7, np.float32)
        self.maps = {"disparity": main, "depth": main} | self.maps
        return self.buffers

    def infer(self, outputs):
        self.asked = set(outputs)
        return {name: self.maps[name][None].copy() for name in outputs}


def plain(value: int, height: int = 32, width: int = 64) -> np.ndarray:
    return np.full((height, width, 3), (value, value + 1, value + 2), np.uint8)


@pytest.mark.parametrize(
    ("pipeline", "spec"),
    [
        (StereoPipeline, STEREO),
        (StereoPipeline, replace(STEREO, inputs=("right", "left"))),
        (StereoPipeline, replace(STEREO, inputs=("regions", "right", "left"))),
        (MonoPipeline, MONO),
        (MonoPipeline, replace(MONO, inputs=("image", "regions"))),
    ],
)
def test_every_input_gets_the_image_of_its_name(pipeline, spec):
    images = {"image": plain(10), "regions": plain(20), "right": plain(30), "left": plain(40)}
    backend = FixedBackend(spec)
    result = pipeline(backend, given=images).process(images, maps=())
    assert list(backend.buffers) == list(spec.inputs)
    for name, buffer in backend.buffers.items():
        np.testing.assert_array_equal(buffer[0], images[name])
    assert result.view_rgb is images[spec.inputs[0]]


def test_an_encoding_belongs_to_the_image_of_its_name():
    backend = FixedBackend(STEREO)
    StereoPipeline(backend).process({"left": plain(10), "right": plain(30)}, (), {"right": "bgr8"})
    assert backend.buffers["left"][0, 0, 0].tolist() == [10, 11, 12]
    assert backend.buffers["right"][0, 0, 0].tolist() == [32, 31, 30]


@pytest.mark.parametrize(
    ("pipeline", "spec", "words"),
    [
        (StereoPipeline, MONO, r"task 'stereo', got 'mono' in 'fixed'; choose a stereo network"),
        (MonoPipeline, STEREO, r"task 'mono', got 'stereo' in 'fixed'; choose a mono network"),
        (StereoPipeline, REGIONS, r"\['left', 'right'\], got 'fixed' .*nothing here gives 'regions' .*sam-masks"),
    ],
)
def test_a_network_that_a_pipeline_cannot_feed_is_refused_before_the_first_image(pipeline, spec, words):
    with pytest.raises(ValueError, match=words):
        pipeline(FixedBackend(spec))


def test_what_the_caller_says_it_gives_decides():
    StereoPipeline(FixedBackend(REGIONS), given=("left", "right", "regions"))
    with pytest.raises(SpecError, match="nothing here gives 'right'"):
        StereoPipeline(FixedBackend(STEREO), given=("left", "image"))


def test_images_that_are_missing_or_differ_in_size_are_named():
    pipeline = StereoPipeline(FixedBackend(REGIONS), given=REGIONS.inputs)
    with pytest.raises(ValueError, match=r"\['left', 'right', 'regions'\], got no \['regions'\] among \['left'"):
        pipeline.process({"left": plain(1), "right": plain(1)})
    sizes = "left and right and regions of one size, got 64x32 left and 64x32 right and 60x32 regions"
    with pytest.raises(ValueError, match=sizes):
        pipeline.process({"left": plain(1), "right": plain(1), "regions": plain(1, width=60)})


def test_disparity_is_in_published_pixels_and_at_most_what_the_network_can_predict():
    disparity_px = np.full((32, 64), 90, np.float32)
    disparity_px[:, :20] = 50
    images = {"left": plain(1, 64, 128), "right": plain(2, 64, 128)}
    result = StereoPipeline(FixedBackend(STEREO, disparity=disparity_px), (32, 64)).process(images, ())
    assert isinstance(result, StereoResult)
    assert result.disparity_px.shape == (64, 128)
    assert (result.disparity_px[0, 0], result.disparity_px[0, -1]) == (100, 128)


@pytest.mark.parametrize(("output", "shape"), [("source", (64, 128)), ("network", (32, 64))])
def test_depth_is_that_of_the_camera_whatever_the_size_of_network_and_maps(output, shape):
    result = MonoPipeline(FixedBackend(MONO), (32, 64), output).process({"image": plain(1, 64, 128)}, ())
    assert isinstance(result, MonoResult)
    assert (result.canonical_depth_m == 7).all()
    # 2000 px are 1000 px at the network's size, twice the canonical ones: the same view from twice as far.
    np.testing.assert_allclose(result.depth_m(2000.0), np.full(shape, 14), rtol=1e-6)


@pytest.mark.parametrize(("pipeline", "spec"), [(StereoPipeline, STEREO), (MonoPipeline, MONO)])
def test_what_is_unsure_has_no_distance_in_any_task(pipeline, spec):
    confidence = np.full((16, 32), 0.25, np.float32)
    confidence[:, :8] = 0.75
    backend = FixedBackend(spec, confidence=confidence)
    images = {"left": plain(1), "right": plain(2), "image": plain(3)}
    pipe = pipeline(backend)
    pipe.confidence_threshold = 0.5
    result = pipe.process(images, ())
    main = result.disparity_px if spec is STEREO else result.canonical_depth_m
    assert (np.isnan(main) == (np.arange(64) >= 16)).all()
    assert (result.confidence, result.valid_ratio) == (None, 0.25)
    pipe.confidence_threshold = 0.0
    assert np.isfinite(pipe.process(images, {"confidence"}).confidence).all()
    assert pipe.process(images, ()).valid_ratio == 1
    assert backend.asked == {next(iter(spec.outputs))}


@pytest.mark.parametrize(("pipeline", "spec"), [(StereoPipeline, STEREO), (MonoPipeline, MONO)])
def test_objects_above_one_another_are_two_instances_and_ids_are_never_mixed(pipeline, spec):
    """Below a road, on the left objects 1 and 3 one above the other, which would mix to 2; on the right object 2."""
    y, x = np.mgrid[0:32, 0:16].astype(np.float32)  # cells of an image of 128 x 64 px
    heat = np.zeros((32, 16), np.float32)
    heat[18, 4], heat[24, 12], heat[29, 4] = 0.9, 0.85, 0.8
    centre_y = np.where(x < 8, np.where(y < 24, 18, 29), 24)
    centre_x = np.where(x < 8, 4, 12)
    semantic = np.zeros((64, 32), np.uint8)
    semantic[32:] = 200
    maps = {"semantic": semantic, "instance_center": heat, "instance_offset": np.stack((centre_x - x, centre_y - y))}
    images = {name: plain(1, 200, 100) for name in ("left", "right", "image")}
    panoptic = pipeline(FixedBackend(spec, **maps), (128, 64)).process(images, {"instance"}).panoptic
    assert set(np.unique(panoptic.semantic)) == {0, 200}
    row, column = np.mgrid[0:200, 0:100] * 0.64  # in pixels of the network
    expected = np.where(column < 32, np.where(row < 96, 1, 3), 2) * (row >= 64)
    clear = (np.abs(row - 64) > 4) & (np.abs(row - 96) > 4) & (np.abs(column - 32) > 4)  # a cell from every border
    np.testing.assert_array_equal(panoptic.instance[clear], expected[clear])
    assert set(np.unique(panoptic.instance[:, :40])) == {0, 1, 3}
