# SPDX-License-Identifier: Apache-2.0
"""Panoptic head on the left view's pyramid: semantic logits, instance centres and offsets."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..blocks import ConvBlock, InvertedResidual, double


class Panoptic(NamedTuple):
    """All at 1/4: semantic logits [B, classes, h, w], centre logit [B, 1, h, w], offset [B, 2, h, w] in cells."""

    semantic: Tensor
    center: Tensor
    offset: Tensor


class PanopticHead(nn.Module):
    """Coarse-to-fine decoder with a wide view at 1/16, where it is cheap; one branch per task at 1/4."""

    def __init__(self, pyramid: tuple[int, int, int], classes: int, width: int = 64) -> None:
        super().__init__()
        p4, p8, p16 = pyramid
        self.context16 = nn.Sequential(
            ConvBlock(p16, width, 1),
            InvertedResidual(width, width, 5),
            InvertedResidual(width, width, 5, dilation=2),
        )
        self.scene = nn.Conv2d(width, width, 1)  # of the whole image: tells streets from rooms
        self.lateral8, self.merge8 = ConvBlock(p8, width, 1), InvertedResidual(width, width, 5)
        self.lateral4 = ConvBlock(p4, width, 1)
        self.semantic = nn.Sequential(InvertedResidual(width, width, 5), nn.Conv2d(width, classes, 1))
        self.instance = nn.Sequential(InvertedResidual(width, width, 5), nn.Conv2d(width, 3, 1))

    def forward(self, f4: Tensor, f8: Tensor, f16: Tensor) -> Panoptic:
        """Pyramid of the left view at 1/4, 1/8, 1/16."""
        x16 = self.context16(f16)
        x16 = x16 * torch.sigmoid(self.scene(x16.mean((2, 3), keepdim=True)))
        x8 = self.merge8(self.lateral8(f8) + double(x16))
        x4 = self.lateral4(f4) + double(x8)
        instance = self.instance(x4)
        return Panoptic(self.semantic(x4), instance[:, :1], instance[:, 1:])
