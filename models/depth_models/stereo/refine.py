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
    """All [B, ., H/2, W/2]: disparity in half-resolution pixels, two logits, 36 upsampling logits, features."""

    disparity: Tensor
    confidence: Tensor
    occlusion: Tensor
    mask: Tensor
    features: Tensor


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
        context = self.context(torch.cat((left.detail2, left.x2), 1))
        scaled = disparity * DISPARITY_SCALE
        inputs = (correlation, scaled, context, double(self.squeeze(aggregated)))
        x = self.body(self._enter([part.to(context.dtype) for part in inputs]))
        residual, confidence, occlusion = self.head(x).float().split(1, 1)
        return Refined(F.relu(disparity + residual), confidence, occlusion, self.mask(x).float(), x)

    def _enter(self, inputs: list[Tensor]) -> Tensor:
        """self.enter of the joined inputs, with zero channels up to a multiple of four.

        ONNX Runtime's blocked convolutions take channels in fours; without them the body runs a third slower.
        """
        conv, *rest = self.enter
        missing = -conv.in_channels % 4
        joined = torch.cat([*inputs, *[torch.zeros_like(inputs[1])] * missing], 1)
        x = F.conv2d(joined, F.pad(conv.weight, (0, 0, 0, 0, 0, missing)), conv.bias)
        for layer in rest:
            x = layer(x)
        return x
