# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite0 encoder (Tan and Le 2019, Lite variant: no squeeze-and-excite, ReLU6) up to stride 32."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..blocks import ConvBlock, InvertedResidual


class Stage(NamedTuple):
    """One run of equal blocks; the first has the stride."""

    expand: int
    kernel: int
    stride: int
    channels: int
    repeats: int


class EfficientNetLite0(nn.Module):
    """Feature maps with 16, 24, 40, 112, 192 channels at 1/2, 1/4, 1/8, 1/16, 1/32."""

    STAGES = (
        Stage(1, 3, 1, 16, 1),
        Stage(6, 3, 2, 24, 2),
        Stage(6, 5, 2, 40, 2),
        Stage(6, 3, 2, 80, 3),
        Stage(6, 5, 1, 112, 3),
        Stage(6, 5, 2, 192, 4),
    )
    CHANNELS = (16, 24, 40, 112, 192)

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvBlock(3, 32, 3, 2)
        self.stages = nn.ModuleList()
        channels = 32
        for stage in self.STAGES:
            blocks = []
            for repeat in range(stage.repeats):
                stride = stage.stride if repeat == 0 else 1
                blocks.append(InvertedResidual(channels, stage.channels, stage.kernel, stride, stage.expand))
                channels = stage.channels
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Normalised image [B, 3, H, W] -> five feature maps, fine to coarse."""
        half = self.stages[0](self.stem(image))
        quarter = self.stages[1](half)
        eighth = self.stages[2](quarter)
        sixteenth = self.stages[4](self.stages[3](eighth))
        return half, quarter, eighth, sixteenth, self.stages[5](sixteenth)

    def load_imagenet(self, path: str | Path) -> None:
        """Copy ImageNet weights of the public PyTorch port of EfficientNet-Lite0.

        Both networks list a convolution, then its batch norm, block by block, so tensors pair up by order;
        the port's classifier comes last and is left over. Raises ValueError when a shape differs.
        """
        source = torch.load(path, map_location="cpu", weights_only=True)
        own = self.state_dict()
        for (name, value), (other_name, other) in zip(own.items(), source.items(), strict=False):
            if value.shape != other.shape:
                raise ValueError(
                    f"expected {tuple(value.shape)} for {name}, got {other_name} {tuple(other.shape)}; "
                    "give the EfficientNet-Lite0 checkpoint"
                )
            own[name] = other
        self.load_state_dict(own)
