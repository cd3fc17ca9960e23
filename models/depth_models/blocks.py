# SPDX-License-Identifier: Apache-2.0
"""Building blocks that every network shares."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class ConvBlock(nn.Sequential):
    """Convolution with 'same' padding, batch norm and, where asked for, ReLU6."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
        activation: bool = True,
    ) -> None:
        padding = kernel // 2 * dilation
        layers = [
            nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        super().__init__(*layers, *([nn.ReLU6(inplace=True)] if activation else []))


class InvertedResidual(nn.Module):
    """MobileNetV2 block: 1x1 expand, depthwise, 1x1 project; identity shortcut where shapes allow."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, expand: int = 2, dilation: int = 1
    ) -> None:
        super().__init__()
        middle = inputs * expand
        self.expand = ConvBlock(inputs, middle, 1) if expand > 1 else nn.Identity()
        self.depthwise = ConvBlock(middle, middle, kernel, stride, middle, dilation)
        self.project = ConvBlock(middle, outputs, 1, activation=False)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] -> [B, outputs, H / stride, W / stride]."""
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.shortcut else y


def conv_of_parts(conv: nn.Conv2d, parts: Sequence[Tensor]) -> Tensor:
    """conv(torch.cat(parts, 1)) as a sum of convolutions.

    Saves the copy, and a change of memory layout around it in ONNX Runtime.
    """
    weights = conv.weight.split([part.shape[1] for part in parts], 1)
    total = F.conv2d(parts[0], weights[0], conv.bias, conv.stride, conv.padding)
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        total = total + F.conv2d(part, weight, None, conv.stride, conv.padding)
    return total


def double(x: Tensor) -> Tensor:
    """Twice the resolution by bilinear interpolation. [B, C, H, W] -> [B, C, 2H, 2W]."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def unit_channels(x: Tensor, groups: int = 1) -> Tensor:
    """Scale the channel vector of each group to length one, so that correlation ignores gain. [B, C, H, W]."""
    b, c, h, w = x.shape
    grouped = x.reshape(b, groups, c // groups, h, w)
    return (grouped * torch.rsqrt((grouped * grouped).sum(2, keepdim=True) + 1e-6)).reshape(b, c, h, w)
