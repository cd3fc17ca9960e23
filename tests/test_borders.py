# SPDX-License-Identifier: Apache-2.0
"""Widths that are no multiple of the network's: the columns beside the padding are as good as the rest."""

import cv2
import numpy as np
import pytest
from depth_runtime.backends import make_backend
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.zoo import resolve_model

HEIGHT, LAST = 192, 8
DISPARITIES_PX = (4, 17, 45)
# The worst mean error of the last columns over the planes below, and the fraction of them wrong by more than a pixel.
MEAN_PX, WRONG = 0.25, 0.01


def plane(width, disparity_px):
    """Left and right view of a textured wall, uint8 [HEIGHT, width, 3]."""
    rng = np.random.default_rng(disparity_px)
    size = HEIGHT, width + disparity_px
    wall = np.full((*size, 3), 128, np.float32)
    for cell_px, levels in ((2, 36), (4, 36), (8, 30), (16, 24), (48, 24)):
        coarse = rng.normal(0, levels, (size[0] // cell_px + 2, size[1] // cell_px + 2, 3)).astype(np.float32)
        wall += cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    wall = np.clip(wall, 0, 255).astype(np.uint8)
    return {"left": wall[:, :width], "right": wall[:, disparity_px:]}


@pytest.fixture(scope="module", params=["stereo_s", "stereo_xs"])
def pipeline(request):
    return StereoPipeline(make_backend(resolve_model(request.param), "onnxruntime-cpu", threads=2))


@pytest.mark.parametrize("width", [641, 656, 671, 1242])
def test_the_last_columns_are_as_good_as_the_rest(pipeline, width):
    errors = [
        np.abs(pipeline.process(plane(width, px), set()).disparity_px - np.float32(px))[:, -LAST:]
        for px in DISPARITIES_PX
    ]
    assert np.mean(errors) < MEAN_PX
    assert np.mean(np.array(errors) > 1) < WRONG
