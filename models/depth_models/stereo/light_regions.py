# SPDX-License-Identifier: Apache-2.0
"""A small encoder-decoder that predicts the region image of a view: what USAM-Net takes Segment Anything for.

It predicts the border between regions and the mean colour of each pixel's region; the image is that colour, black on
borders, as depth_training's sam-masks paints it, and learns from those paintings.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ..blocks import ConvBlock, double
from .features import normalise

WIDTHS = (16, 32, 64, 96)  # channels at 1/2, 1/4, 1/8, 1/16
_FIRST_LOGIT = -3.0  # few pixels are borders


class Regions(NamedTuple):
    """image: float [B, 3, H, W] in 0..255; border: logits [B, 1, H, W], float32."""

    image: Tensor
    border: Tensor


class LightRegions(nn.Module):
    """Encoder to 1/16 and additive decoder to 1/2, whose last features hold the four pixels of their cell."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(ConvBlock(i, o, 3, 2) for i, o in zip((3, *WIDTHS), WIDTHS, strict=False))
        self.deepest = ConvBlock(WIDTHS[-1], WIDTHS[-1], dilation=2)
        self.lateral = nn.ModuleList(ConvBlock(i, o, 1) for i, o in zip(WIDTHS[1:], WIDTHS, strict=False))
        self.smooth = nn.ModuleList(ConvBlock(o, o) for o in WIDTHS[:-1])
        self.head = nn.Conv2d(WIDTHS[0], 4 * 4, 3, padding=1)
        with torch.no_grad():
            self.head.bias[12:] = _FIRST_LOGIT

    def forward(self, left: Tensor) -> Regions:
        """RGB view [B, 3, H, W] in 0..255, H and W multiples of 16."""
        skips = []
        x = normalise(left)
        for stage in self.down:
            x = stage(x)
            skips.append(x)
        x = self.deepest(x)
        for place in range(len(WIDTHS) - 2, -1, -1):
            x = self.smooth[place](skips[place] + double(self.lateral[place](x)))
        colour, border = F.pixel_shuffle(self.head(x).float(), 2).split((3, 1), 1)
        return Regions(255 * torch.sigmoid(colour) * torch.sigmoid(-border), border)
