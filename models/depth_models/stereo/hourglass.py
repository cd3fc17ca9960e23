# SPDX-License-Identifier: Apache-2.0
"""Aggregation of the correlation volume by 2D convolutions at 1/4, 1/8 and 1/16."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..blocks import ConvBlock, InvertedResidual, double
from .features import PYRAMID_CHANNELS, Features


def _stack(width: int, depth: int) -> nn.Sequential:
    return nn.Sequential(*[InvertedResidual(width, width) for _ in range(depth)])


class Hourglass(nn.Module):
    """Matching logits from the volume; the left pyramid gates what each scale may spread."""

    def __init__(self, levels: int, groups: int, widths: tuple[int, int, int], depth: int) -> None:
        super().__init__()
        w4, w8, w16 = widths
        p4, p8, p16 = PYRAMID_CHANNELS
        self.enter = nn.Sequential(ConvBlock(groups * levels + p4, w4, 1), InvertedResidual(w4, w4))
        self.down8, self.block8 = InvertedResidual(w4, w8, stride=2), _stack(w8, depth)
        self.down16 = InvertedResidual(w8, w16, stride=2)
        self.block16 = nn.Sequential(
            _stack(w16, depth), InvertedResidual(w16, w16, dilation=3), InvertedResidual(w16, w16)
        )
        self.gate8, self.gate16 = nn.Conv2d(p8, w8, 1), nn.Conv2d(p16, w16, 1)
        self.up8, self.merge8 = ConvBlock(w16, w8, 1, activation=False), _stack(w8, depth)
        self.up4, self.merge4 = ConvBlock(w8, w4, 1, activation=False), _stack(w4, depth)
        self.logits = nn.Conv2d(w4, levels, 1)
        self.mask = nn.Sequential(ConvBlock(w4, w4, groups=w4), nn.Conv2d(w4, 36, 1))

    def forward(self, volume: Tensor, left: Features) -> tuple[Tensor, Tensor, Tensor]:
        """Volume [B, groups * levels, H/4, W/4] -> level logits, upsampling logits (36), features; all at 1/4."""
        x4 = self.enter(torch.cat((volume, left.f4), 1))
        x8 = self.block8(self.down8(x4) * torch.sigmoid(self.gate8(left.f8)))
        x16 = self.block16(self.down16(x8) * torch.sigmoid(self.gate16(left.f16)))
        x8 = self.merge8(x8 + double(self.up8(x16)))
        x4 = self.merge4(x4 + double(self.up4(x8)))
        return self.logits(x4), self.mask(x4), x4
