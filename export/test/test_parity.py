# SPDX-License-Identifier: Apache-2.0
"""What the parity gate measures, and on what."""

import cv2
import numpy as np
from depth_export.matched_pair import matched_pair
from depth_export.parity import difference, differences, matched_feeds, relative_depth_errors


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


def test_errors_of_depth_are_relative_and_end_where_the_camera_sees_no_depth():
    wanted = np.array([[2.0, 3.8, 4.0, 50.0, 5.0]], np.float32)
    answer = np.array([[9.0, 0.0, 3.2, 51.0, -1.0]], np.float32)
    np.testing.assert_allclose(relative_depth_errors(answer, wanted), [0.25, 1 / 51, np.inf])  # 100 m: 3.9 px


def test_a_small_error_of_a_small_disparity_is_a_large_one_of_depth():
    wanted = {"disparity": np.full((1, 2, 5), 4, np.float32)}
    worst = differences({"disparity": wanted["disparity"] + np.float32(0.045)}, wanted)
    assert worst["disparity"] < 0.05
    assert worst["relative_depth"] > 0.01
    nothing = {"disparity": np.full((1, 2, 5), np.nan, np.float32)}
    assert np.isnan(differences(nothing, wanted)["disparity"])


def test_inputs_of_the_gate_fit_the_network():
    shapes = [feed["right"].shape for feed in matched_feeds(((192, 320), (64, 130)), 128)]
    assert shapes == [(1, 256, 384, 3), (1, 128, 256, 3)]


def test_the_pair_matches_at_its_disparity():
    pair = matched_pair(96, 160, seed=3)
    y, x = np.mgrid[:96, :160].astype(np.float32)
    warped = cv2.remap(pair.right, x - pair.disparity_px, y, cv2.INTER_LINEAR)
    inside = x - pair.disparity_px > 1
    assert np.abs(warped.astype(float) - pair.left)[inside].mean() < 4
    assert pair.disparity_px.min() > 2
