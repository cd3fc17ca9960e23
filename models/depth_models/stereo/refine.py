# SPDX-License-Identifier: Apache-2.0
"""Correction of the disparity at 1/2 resolution from a local correlation, with confidence and occlusion."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ..blocks import ConvBlock, InvertedResidual, double, unit_channels
from .correlation import local_correlation
from .features import DETAIL_CHANNELS, Features

# Brings half-resolution disparities (0..96) to the range of the other inputs.
DISPARITY_SCALE = 1 / 96


class Refined(NamedTuple):
    """All [B, ., H/2, W/2]: disparity in half-resolution pixels, two logits, 36 upsampling logits."""

    disparity: Tensor
    confidence: Tensor
    occlusion: Tensor
    mask: Tensor


class Refine(nn.Module):
    """Residual correction within +-radius half-resolution pixels."""

    def __init__(self, width: int, radius: int, aggregated: int, half_channels: int) -> None:
        super().__init__()
        self.radius = radius
        self.context = ConvBlock(DETAIL_CHANNELS + half_channels, width, 1)
        self.squeeze = ConvBlock(aggregated, 16, 1)
        self.enter = ConvBlock(2 * radius + 1 + 1 + width + 16, width, 1)
        self.body = nn.Sequential(
            InvertedResidual(width, width),
            InvertedResidual(width, width, dilation=2),
            InvertedResidual(width, width, dilation=4),
            InvertedResidual(width, width),
        )
        self.head = nn.Conv2d(width, 3, 3, padding=1)
        self.mask = nn.Conv2d(width, 36, 1)

    def forward(self, disparity: Tensor, left: Features, right: Features, aggregated: Tensor) -> Refined:
        """Disparity [B, 1, H/2, W/2] in half-resolution pixels and the hourglass features at 1/4."""
        views = (unit_channels(view.match2.float()) for view in (left, right))
        correlation = local_correlation(*views, disparity, self.radius)
        context = self.context(left.detail2)
        inputs = (correlation, disparity * DISPARITY_SCALE, context, double(self.squeeze(aggregated)))
        x = self.body(self.enter(torch.cat([part.to(context.dtype) for part in inputs], 1)))
        residual, confidence, occlusion = self.head(x).float().split(1, 1)
        return Refined(F.relu(disparity + residual), confidence, occlusion, self.mask(x).float())
