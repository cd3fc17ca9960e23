# SPDX-License-Identifier: Apache-2.0
"""The shipped networks predict, at any size, through the runtime."""

import numpy as np
import pytest
from depth_export.matched_pair import matched_pair
from depth_models import LABELS
from depth_runtime.backends import make_backend
from depth_runtime.metrics import disparity_errors
from depth_runtime.onnx_file import read_spec
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.zoo import resolve_model


@pytest.fixture(scope="module", params=["stereo_s", "stereo_xs"])
def pipeline(request):
    return StereoPipeline(make_backend(resolve_model(request.param), "onnxruntime-cpu", threads=2))


@pytest.mark.parametrize("name", ["stereo_s", "stereo_xs"])
def test_the_file_is_small_and_says_where_it_came_from(name):
    path = resolve_model(name)
    spec = read_spec(path)
    assert path.stat().st_size < 8e6
    assert (spec.name, spec.max_disparity, spec.labels) == (name, 192.0, LABELS)
    assert spec.training["data"]
    assert all(run["recipe"] for run in spec.training.get("averaged", [spec.training]))
    assert spec.metrics["camvid_val"]["miou"] >= 56


@pytest.mark.parametrize("shift_px", [2, 6, 12, 37])
def test_a_pair_shifted_by_whole_pixels_gets_that_disparity(pipeline, shift_px):
    wide = matched_pair(192, 320 + shift_px, seed=5).left
    left, right = wide[:, :320], wide[:, shift_px:]
    disparity = pipeline.process({"left": left, "right": right}, set()).disparity_px[:, 64:]
    assert abs(np.median(disparity) - shift_px) < 0.15
    assert (np.abs(disparity - shift_px) < 1).mean() > 0.97


def test_two_equal_views_are_infinitely_far(pipeline):
    view = matched_pair(192, 320, seed=5).left
    assert np.median(pipeline.process({"left": view, "right": view}, set()).disparity_px) < 0.5


@pytest.mark.parametrize(("height", "width"), [(256, 320), (375, 640), (64, 416)])
def test_any_size_is_predicted_with_small_errors(pipeline, height, width):
    pair = matched_pair(height, width, seed=1)
    result = pipeline.process(pair.images())
    visible = np.arange(width) - pair.disparity_px > 0
    assert disparity_errors(result.disparity_px, pair.disparity_px, visible)["epe"] < 1.5
    assert result.confidence.shape == result.panoptic.semantic.shape == (height, width)
    assert 0 <= result.confidence.min() <= result.confidence.max() <= 1
    assert result.panoptic.semantic.max() < len(LABELS)
