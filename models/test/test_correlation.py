# SPDX-License-Identifier: Apache-2.0
"""Matching costs equal their definition, pixel by pixel."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from depth_models.blocks import conv_of_parts, unit_channels
from depth_models.stereo.correlation import correlation_volume, local_correlation


def test_correlation_volume_equals_the_brute_force_sum():
    torch.manual_seed(0)
    left, right = torch.randn(2, 2, 6, 3, 11)
    levels, groups = 5, 2
    expected = torch.zeros(2, groups, levels, 3, 11)
    for d in range(levels):
        for x in range(d, 11):
            product = (left[..., x] * right[..., x - d]).view(2, groups, 3, 3).sum(2)
            expected[:, :, d, :, x] = product
    volume = correlation_volume(left, right, levels, groups)
    torch.testing.assert_close(volume, expected.reshape(2, groups * levels, 3, 11))


def test_local_correlation_equals_bilinear_sampling_of_features():
    torch.manual_seed(1)
    b, c, h, w, radius = 2, 4, 5, 23, 2
    left, right = torch.randn(2, b, c, h, w, dtype=torch.float64)
    disparity = torch.rand(b, 1, h, w, dtype=torch.float64) * 14
    shifted = torch.cat([F.pad(right, (radius, radius))[..., i : i + w] for i in range(2 * radius + 1)], 1)
    x = torch.arange(w, dtype=torch.float64) - disparity[:, 0]
    y = torch.arange(h, dtype=torch.float64)[:, None].expand(b, h, w)
    grid = torch.stack((x * 2 / (w - 1) - 1, y * 2 / (h - 1) - 1), -1)
    warped = F.grid_sample(shifted, grid, align_corners=True).view(b, 2 * radius + 1, c, h, w)
    expected = (warped * left[:, None]).sum(2)
    torch.testing.assert_close(local_correlation(left, right, disparity, radius), expected)


def test_local_correlation_passes_gradients_to_features_and_disparity():
    left, right = torch.randn(2, 1, 3, 2, 9, requires_grad=True).unbind()
    disparity = torch.full((1, 1, 2, 9), 2.25, requires_grad=True)
    right.retain_grad()
    local_correlation(left, right, disparity, 1).square().sum().backward()
    assert disparity.grad.abs().sum() > 0
    assert right.grad.abs().sum() > 0


def test_a_disparity_that_is_no_number_gives_no_number_there_and_nothing_else_changes():
    torch.manual_seed(3)
    left, right = torch.randn(2, 1, 3, 4, 9)
    disparity = torch.full((1, 1, 4, 9), 1.25)
    expected = local_correlation(left, right, disparity, 2)
    disparity[0, 0, 1, 6] = expected[0, :, 1, 6] = torch.nan
    torch.testing.assert_close(local_correlation(left, right, disparity, 2), expected, equal_nan=True, rtol=0, atol=0)


def test_unit_channels_have_length_one_in_each_group():
    x = unit_channels(torch.randn(1, 12, 2, 3) * 50, groups=3)
    torch.testing.assert_close(x.view(1, 3, 4, 2, 3).norm(dim=2), torch.ones(1, 3, 2, 3))


@pytest.mark.parametrize("widths", [(5, 3), (2, 2, 4)])
def test_conv_of_parts_equals_conv_of_the_joined_parts(widths):
    conv = torch.nn.Conv2d(8, 6, 1)
    parts = [torch.randn(1, width, 3, 4) for width in widths]
    torch.testing.assert_close(conv_of_parts(conv, parts), conv(torch.cat(parts, 1)))
