# SPDX-License-Identifier: Apache-2.0
"""Per-image features: what both views are matched by, and the left view's context pyramid."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..backbones import EfficientNetLite0
from ..blocks import ConvBlock, InvertedResidual, conv_of_parts, double

PYRAMID_CHANNELS = (64, 64, 112)  # at 1/4, 1/8, 1/16
DETAIL_CHANNELS = 24
LOCAL_CHANNELS = 16


class Features(NamedTuple):
    """match4 [B, M, H/4, W/4] and match2 [B, 16, H/2, W/2] are compared between views; the rest is context."""

    match4: Tensor
    match2: Tensor
    detail2: Tensor
    x2: Tensor
    f4: Tensor
    f8: Tensor
    f16: Tensor

    def of_view(self, first: int, last: int) -> Features:
        """Features of images first..last-1 of the batch."""
        return Features(*(x[first:last] for x in self))


class Context(NamedTuple):
    """detail2 [B, 24, H/2, W/2] and x2 [B, 16, H/2, W/2] keep fine detail; f4, f8, f16 have PYRAMID_CHANNELS."""

    detail2: Tensor
    x2: Tensor
    f4: Tensor
    f8: Tensor
    f16: Tensor


class FeatureNet(nn.Module):
    """Encoder with a feature pyramid and a shallow path that keeps fine detail.

    match_channels: of match4; 0 = for a single view, which is matched with nothing: `context` alone.
    """

    def __init__(self, match_channels: int) -> None:
        super().__init__()
        c2, c4, c8, c16, c32 = EfficientNetLite0.CHANNELS
        p4, p8, p16 = PYRAMID_CHANNELS
        self.backbone = EfficientNetLite0()
        self.detail2 = ConvBlock(3, DETAIL_CHANNELS, 3, 2)
        if match_channels:
            self.detail4 = nn.Sequential(ConvBlock(DETAIL_CHANNELS, 48, 3, 2), ConvBlock(48, 48))
        self.lateral16 = ConvBlock(c32, c16, 1)
        self.smooth16 = InvertedResidual(c16, p16)
        self.lateral8, self.from16 = ConvBlock(c8, p8, 1), ConvBlock(p16, p8, 1)
        self.smooth8 = InvertedResidual(p8, p8)
        self.lateral4 = ConvBlock(c4, p4, 1)
        self.smooth4 = InvertedResidual(p4, p4)
        if m := match_channels:
            self.match4 = nn.Sequential(ConvBlock(48 + p4, m, 1), ConvBlock(m, m), nn.Conv2d(m, m, 1))
            self.match2 = nn.Conv2d(DETAIL_CHANNELS + c2, LOCAL_CHANNELS, 1)

    def forward(self, image: Tensor) -> Features:
        """RGB images [B, 3, H, W] in 0..255, H and W multiples of 32."""
        context = self.context(image)
        detail = context.detail2
        match4 = self.match4(torch.cat((self.detail4(detail), context.f4), 1))
        return Features(match4, conv_of_parts(self.match2, (detail, context.x2)), *context)

    def context(self, image: Tensor) -> Context:
        """All that a view tells by itself, of RGB images [B, 3, H, W] in 0..255."""
        image = normalise(image)
        x2, *deeper = self.backbone(image)
        pyramid = self._merge(*deeper)
        return Context(self.detail2(image), x2, *pyramid)

    def pyramid(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Only f4, f8, f16 of RGB images [B, 3, H, W] in 0..255: all that a panoptic head reads."""
        return self._merge(*self.backbone(normalise(image))[1:])

    def _merge(self, x4: Tensor, x8: Tensor, x16: Tensor, x32: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        f16 = self.smooth16(x16 + double(self.lateral16(x32)))
        f8 = self.smooth8(self.lateral8(x8) + double(self.from16(f16)))
        return self.smooth4(self.lateral4(x4) + double(f8)), f8, f16


def normalise(image: Tensor) -> Tensor:
    """RGB 0..255 to about -1..1, as the ImageNet weights of the encoder expect."""
    return (image - 127.0) / 128.0
