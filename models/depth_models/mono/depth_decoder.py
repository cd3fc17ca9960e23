# SPDX-License-Identifier: Apache-2.0
"""From the features of one view to the logarithm of its depth."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..backbones import EfficientNetLite0
from ..blocks import ConvBlock, InvertedResidual, conv_of_parts, double
from ..stereo.disparity import convex_double, start_bilinear
from ..stereo.features import DETAIL_CHANNELS, PYRAMID_CHANNELS, Context


class Depth(NamedTuple):
    """depth_m [B, 1, H, W] metres; confidence: logit [B, 1, H/2, W/2]; both float32."""

    depth_m: Tensor
    confidence: Tensor


class DepthDecoder(nn.Module):
    """Coarse-to-fine decoder with skips down to 1/2, whose depths every full-size pixel mixes.

    Depth of one view follows from the whole of it, so its widest and deepest part is at 1/16, with a gate by the mean
    over the image. width: channels at 1/4 and 1/8, half of it at 1/2, one and a half times it at 1/16.
    nearest_m, farthest_m: the range of depth; the output is z = nearest (farthest / nearest)^sigmoid(x).
    """

    def __init__(self, width: int, nearest_m: float, farthest_m: float) -> None:
        super().__init__()
        self.log_nearest, self.log_range = math.log(nearest_m), math.log(farthest_m / nearest_m)
        p4, p8, p16 = PYRAMID_CHANNELS
        deep, fine = 3 * width // 2, width // 2
        self.context16 = nn.Sequential(
            ConvBlock(p16, deep, 1), *(InvertedResidual(deep, deep, 5, dilation=dilation) for dilation in (1, 2, 4))
        )
        self.scene = nn.Conv2d(deep, deep, 1)
        self.lateral8, self.from16 = ConvBlock(p8, width, 1), ConvBlock(deep, width, 1)
        self.merge8 = nn.Sequential(InvertedResidual(width, width, 5), InvertedResidual(width, width, 5, dilation=2))
        self.lateral4 = ConvBlock(p4, width, 1)
        self.merge4 = nn.Sequential(InvertedResidual(width, width, 5), InvertedResidual(width, width))
        self.squeeze = ConvBlock(width, fine, 1)
        self.enter = nn.Conv2d(fine + DETAIL_CHANNELS + EfficientNetLite0.CHANNELS[0], fine, 1)
        self.merge2 = nn.Sequential(InvertedResidual(fine, fine), InvertedResidual(fine, fine))
        self.head = nn.Conv2d(fine, 2, 3, padding=1)
        self.mask = nn.Conv2d(fine, 36, 1)
        start_bilinear(self.mask)

    def forward(self, view: Context) -> Depth:
        """Features of one view."""
        x16 = self.context16(view.f16)
        x16 = x16 * torch.sigmoid(self.scene(x16.mean((2, 3), keepdim=True)))
        x8 = self.merge8(self.lateral8(view.f8) + double(self.from16(x16)))
        x4 = self.merge4(self.lateral4(view.f4) + double(x8))
        x2 = self.merge2(conv_of_parts(self.enter, (double(self.squeeze(x4)), view.detail2, view.x2)))
        depth, confidence = self.head(x2).float().split(1, 1)
        log_depth = self.log_nearest + self.log_range * torch.sigmoid(depth)
        return Depth(convex_double(log_depth, self.mask(x2).float()).exp(), confidence)
