# SPDX-License-Identifier: Apache-2.0
"""Residual up-sampling decoder with sigmoid disparities at four scales, as in Monodepth2 and H-Net."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ..blocks import ConvBlock, double

SCALES = (8, 4, 2, 1)  # strides of the predictions, coarse to fine
NEAREST, FARTHEST = 0.1, 100.0  # depth range of the sigmoid, in units
# Sigmoid of the first predictions: a tenth of the range, since a search by gradients only finds matches that are near.
_FIRST_LOGIT = -2.2


class ResidualUp(nn.Module):
    """Twice the resolution: features and skip through two 3x3 convolutions beside a 1x1 shortcut."""

    def __init__(self, inputs: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.first = ConvBlock(inputs + skip, outputs)
        self.second = ConvBlock(outputs, outputs, activation=False)
        self.shortcut = ConvBlock(inputs + skip, outputs, 1, activation=False)

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """[B, inputs, H, W] and [B, skip, 2H, 2W], or None -> [B, outputs, 2H, 2W]."""
        x = double(x)
        x = x if skip is None else torch.cat((x, skip), 1)
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


class SigmoidDecoder(nn.Module):
    """Five residual-up blocks; `views` sigmoid maps each at 1/8, 1/4, 1/2 and 1.

    encoder_channels: of five maps, fine to coarse. A network may change the input of a block (`block_channels`) before
    it calls the block; `forward` runs them all.
    """

    CHANNELS = (256, 128, 64, 32, 16)

    def __init__(self, encoder_channels: tuple[int, ...], width: float = 1.0, views: int = 1) -> None:
        super().__init__()
        skips = (*encoder_channels[-2::-1], 0)
        outputs = tuple(max(8, 8 * round(c * width / 8)) for c in self.CHANNELS)
        self.block_channels = (encoder_channels[-1], *outputs[:-1])
        self.blocks = nn.ModuleList(map(ResidualUp, self.block_channels, skips, outputs))
        self.heads = nn.ModuleList([nn.Conv2d(c, views, 3, padding=1) for c in outputs[1:]])
        for head in self.heads:
            nn.init.constant_(head.bias, _FIRST_LOGIT)

    def forward(self, features: tuple[Tensor, ...], before: nn.ModuleList | None = None) -> dict[int, Tensor]:
        """Five maps, fine to coarse -> sigmoid maps [B, views, H / stride, W / stride] by stride, in FP32.

        before: modules that change the inputs of the first blocks.
        """
        x, skips = features[-1], (*features[-2::-1], None)
        predictions = {}
        for index, (block, skip) in enumerate(zip(self.blocks, skips, strict=True)):
            if before is not None and index < len(before):
                x = before[index](x)
            x = block(x, skip)
            if index > 0:
                predictions[SCALES[index - 1]] = torch.sigmoid(self.heads[index - 1](x).float())
        return predictions


def disparity_of_sigmoid(sigmoid: Tensor, max_disparity_px: float) -> Tensor:
    """Disparity in px of the input for sigmoid maps, by way of the depth D = 1 / (a sigmoid + b).

    a and b hold D between 0.1 and 100 units. The disparity k / D has k = max_disparity_px * 0.1, so that 0.1 units are
    max_disparity_px. (Monodepth2 says k = focal length * baseline = 0.58 widths * 0.1 units, 37 px at 640 columns.)
    """
    b = 1 / FARTHEST
    a = 1 / NEAREST - b
    return max_disparity_px * NEAREST * (a * sigmoid + b)
