# SPDX-License-Identifier: Apache-2.0
"""Stereo methods beside the zoo: OpenCV's, and what `--method` may name."""

import cv2
import numpy as np
import pytest
from depth_training.evaluation.methods import make_method
from depth_training.evaluation.sgbm import SgbmMethod, fill_from_background


def test_sgbm_finds_the_shift():
    scene = np.random.default_rng(0).integers(0, 256, (45, 140, 3), dtype=np.uint8)
    scene = cv2.resize(scene, (280, 90))
    prediction = SgbmMethod("", 1)({"left": scene[:, :260], "right": scene[:, 12:272]})
    own = prediction.parts["own predictions"]
    assert own.mean() > 0.8
    assert np.median(np.abs(prediction.disparity_px - 12)[own]) < 0.2
    assert (prediction.disparity_px > 0).all()


def test_holes_take_the_smaller_neighbour():
    row = np.array([[-1, 8, -1, -1, 3, 0], [0, 0, 0, 0, 0, 0]], np.float32)
    assert fill_from_background(row).tolist() == [[8, 8, 3, 3, 3, 3], [0] * 6]


def test_an_unknown_method_lists_the_kinds():
    with pytest.raises(ValueError, match="'onnx', 'sgbm', 'zoo'"):
        make_method("bm:5", 1)
