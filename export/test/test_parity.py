# SPDX-License-Identifier: Apache-2.0
"""What the parity gate measures, and on what."""

import cv2
import numpy as np
from depth_export.matched_pair import matched_pair
from depth_export.parity import difference


def test_difference_is_the_largest_one_and_a_share_for_classes():
    wanted = np.zeros((1, 2, 5), np.float32)
    answer = wanted.copy()
    answer[0, 1, 3] = -0.75
    assert difference("disparity", answer, wanted) == 0.75
    classes = np.zeros((1, 2, 5), np.uint8)
    other = classes.copy()
    other[0, 0, :2] = 4
    assert difference("semantic", other, classes) == 0.2


def test_another_shape_or_type_is_infinitely_different():
    wanted = np.zeros((1, 2, 5), np.float32)
    assert difference("disparity", wanted[:, :, :4], wanted) == np.inf
    assert difference("disparity", wanted.astype(np.float64), wanted) == np.inf


def test_the_pair_matches_at_its_disparity():
    pair = matched_pair(96, 160, seed=3)
    y, x = np.mgrid[:96, :160].astype(np.float32)
    warped = cv2.remap(pair.right, x - pair.disparity_px, y, cv2.INTER_LINEAR)
    inside = x - pair.disparity_px > 1
    assert np.abs(warped.astype(float) - pair.left)[inside].mean() < 4
    assert pair.disparity_px.min() > 2
