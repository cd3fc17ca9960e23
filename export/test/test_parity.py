# SPDX-License-Identifier: Apache-2.0
"""What the parity gate measures, and on what."""

from dataclasses import replace

import cv2
import numpy as np
from depth_export.matched_pair import matched_pair
from depth_export.parity import difference, differences, matched_feeds, relative_depth_errors
from tiny_spec import TINY_SPEC


def test_difference_is_the_largest_one_and_a_fraction_for_classes():
    wanted = np.zeros((1, 2, 5), np.float32)
    prediction = wanted.copy()
    prediction[0, 1, 3] = -0.75
    assert difference("disparity", prediction, wanted) == 0.75
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
    prediction = np.array([[9.0, 0.0, 3.2, 51.0, -1.0]], np.float32)
    np.testing.assert_allclose(relative_depth_errors(prediction, wanted), [0.25, 1 / 51, np.inf])  # 100 m: 3.9 px


def test_a_small_error_of_a_small_disparity_is_a_large_one_of_depth():
    wanted = {"disparity": np.full((1, 2, 5), 4, np.float32)}
    worst = differences({"disparity": wanted["disparity"] + np.float32(0.045)}, wanted)
    assert worst["disparity"] < 0.05
    assert worst["relative_depth"] > 0.01
    nothing = {"disparity": np.full((1, 2, 5), np.nan, np.float32)}
    assert np.isnan(differences(nothing, wanted)["disparity"])


def test_inputs_of_the_gate_fit_the_network():
    spec = replace(TINY_SPEC, size_multiple=128, default_size=(128, 128), inputs=("right", "left", "regions"))
    for feed, size in zip(matched_feeds(((192, 320), (64, 130)), spec), ((256, 384), (128, 256)), strict=True):
        assert {name: image.shape for name, image in feed.items()} == dict.fromkeys(spec.inputs, (1, *size, 3))


def test_the_pair_matches_at_its_disparity():
    pair = matched_pair(96, 160, seed=3)
    y, x = np.mgrid[:96, :160].astype(np.float32)
    warped = cv2.remap(pair.right, x - pair.disparity_px, y, cv2.INTER_LINEAR)
    inside = x - pair.disparity_px > 1
    assert np.abs(warped.astype(float) - pair.left)[inside].mean() < 4
    assert pair.disparity_px.min() > 2


def test_the_regions_of_the_scene_have_one_colour_each_that_of_their_surface():
    pair = matched_pair(96, 160, seed=3)
    colours = np.unique(pair.regions.reshape(-1, 3), axis=0)
    assert len(colours) == 4  # wall, ground and two boxes
    for colour in colours:
        inside = (pair.regions == colour).all(-1)
        np.testing.assert_allclose(pair.left[inside].mean(0), colour, atol=0.5)
    box = pair.disparity_px == np.float32(0.08 * 160)
    assert box.sum() > 100
    assert len(np.unique(pair.regions[box], axis=0)) == 1


def test_the_difference_of_a_depth_is_relative():
    wanted = np.array([[[2.0, 50.0]]], np.float32)
    assert difference("depth", wanted * np.float32(1.25), wanted) == 0.25
