# SPDX-License-Identifier: Apache-2.0
"""From matching scores to disparity."""

import torch
from depth_models.stereo.disparity import convex_upsample, windowed_argmax


def test_windowed_argmax_of_one_sharp_peak_is_its_level():
    logits = torch.full((1, 20, 2, 3), -50.0)
    logits[:, 13] = 50.0
    torch.testing.assert_close(windowed_argmax(logits), torch.full((1, 1, 2, 3), 13.0))


def test_windowed_argmax_interpolates_between_two_equal_neighbours():
    logits = torch.full((1, 20, 1, 1), -50.0)
    logits[:, 6:8] = 3.0
    torch.testing.assert_close(windowed_argmax(logits), torch.full((1, 1, 1, 1), 6.5))


def test_windowed_argmax_ignores_a_second_peak_outside_its_window():
    logits = torch.full((1, 40, 1, 1), -50.0)
    logits[:, 5], logits[:, 30] = 2.0, 1.9
    torch.testing.assert_close(windowed_argmax(logits, radius=2), torch.full((1, 1, 1, 1), 5.0))


def test_convex_upsampling_keeps_a_constant_and_doubles_its_unit():
    weights = torch.randn(2, 36, 3, 5) * 4
    up = convex_upsample(torch.full((2, 1, 3, 5), 7.25), weights)
    torch.testing.assert_close(up, torch.full((2, 1, 6, 10), 14.5))


def test_convex_upsampling_stays_between_the_neighbours():
    coarse = torch.rand(1, 1, 4, 6) * 30
    up = convex_upsample(coarse, torch.randn(1, 36, 4, 6))
    assert up.min() >= 2 * coarse.min()
    assert up.max() <= 2 * coarse.max()
