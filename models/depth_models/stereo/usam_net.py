# SPDX-License-Identifier: Apache-2.0
"""USAM-Net (arXiv 2503.14950): a U-Net over both views and an image of the left one's regions.

Five stages of stride-2 convolutions, self-attention between the 1/32 cells, five stages of transposed convolutions with
skips, a sigmoid for disparity. The paper takes the image from Segment Anything, which costs 400 times the
network; here a light branch may predict it from the left view inside the graph. Widths and kernels are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..blocks import ConvBlock
from ..network import StereoNetwork
from ..registry import register, with_overrides
from .features import normalise
from .light_regions import LightRegions

REGIONS = ("none", "given", "light")
CHANNELS = (64, 128, 256, 512, 512)  # at 1/2, 1/4, 1/8, 1/16, 1/32
LAST = 32  # at full resolution
_FIRST_LOGIT = -2.0  # the first predictions are near 12 % of the range, where most disparities are


@dataclass(frozen=True)
class UsamNetConfig:
    """regions: "none" (6 channels in), "given" (a third input) or "light" (predicted); width: factor of all channels of
    the U-Net."""

    regions: str = "light"
    attention: bool = True
    width: float = 1.0
    max_disparity_px: int = 192

    def __post_init__(self) -> None:
        if self.regions not in REGIONS:
            raise ValueError(f"expected regions among {list(REGIONS)}, got '{self.regions}'")


class SelfAttention(nn.Module):
    """x + project(softmax(Q^T K / sqrt(d)) V) over all cells of a map; Q and K have an eighth of the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = max(8, channels // 8)
        self.query, self.key = nn.Conv2d(channels, self.inner, 1), nn.Conv2d(channels, self.inner, 1)
        self.value, self.project = nn.Conv2d(channels, channels, 1), nn.Conv2d(channels, channels, 1)

    def weights(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, H * W, H * W]: how much each cell (row) takes from each other; rows add up to 1."""
        query, key = self.query(x).flatten(2), self.key(x).flatten(2)
        return torch.softmax((query.transpose(1, 2) @ key).float() / self.inner**0.5, -1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W], same out."""
        value = self.value(x)
        mixed = value.flatten(2) @ self.weights(x).to(value.dtype).transpose(1, 2)
        return x + self.project(mixed.reshape(x.shape))


class Down(nn.Sequential):
    """Half the resolution: 4x4 convolution of stride 2, then one of 3x3."""

    def __init__(self, inputs: int, outputs: int) -> None:
        strided = nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)
        super().__init__(strided, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True), ConvBlock(outputs, outputs))


class Up(nn.Module):
    """Twice the resolution: 4x4 transposed convolution of stride 2, then one of 3x3 over it and the skip."""

    def __init__(self, inputs: int, outputs: int, skip: int) -> None:
        super().__init__()
        transposed = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)
        self.up = nn.Sequential(transposed, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))
        self.merge = ConvBlock(outputs + skip, outputs)

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """[B, inputs, H, W] and [B, skip, 2H, 2W], or None -> [B, outputs, 2H, 2W]."""
        x = self.up(x)
        return self.merge(x if skip is None else torch.cat((x, skip), 1))


class UsamNet(StereoNetwork):
    """Disparity of the left view, from both views and what divides the left one into regions."""

    size_multiple = 32

    def __init__(self, config: UsamNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or UsamNetConfig()
        if config.regions == "given":
            self.inputs = (*StereoNetwork.inputs, "regions")
        widths = [max(8, 8 * round(channels * config.width / 8)) for channels in (*CHANNELS, LAST)]
        down, last = widths[:-1], widths[-1]
        channels = 6 if config.regions == "none" else 9
        self.light = LightRegions() if config.regions == "light" else None
        self.down = nn.ModuleList(map(Down, [channels, *down[:-1]], down))
        self.attention = SelfAttention(down[-1]) if config.attention else nn.Identity()
        up = [*down[-2::-1], last]
        self.up = nn.ModuleList(map(Up, [down[-1], *up[:-1]], up, [*down[-2::-1], 0]))
        self.head = nn.Conv2d(last, 1, 3, padding=1)
        nn.init.constant_(self.head.bias, _FIRST_LOGIT)

    def forward(self, left: Tensor, right: Tensor, regions: Tensor | None = None) -> dict[str, Tensor]:
        """Rectified RGB pair [B, 3, H, W] in 0..255, H and W multiples of 32; regions: image of the left view's
        regions, the same shape and range, for regions "given" only; where it is NaN (unknown) it counts as black.

        disparity [B, 1, H, W] px, in 0..max_disparity_px; with the light branch also what it predicts, for training:
        regions [B, 3, H, W] in 0..255 and border, logits [B, 1, H, W]. Raises ValueError for regions that are missing
        or not asked for.
        """
        if (regions is not None) != ("regions" in self.inputs):
            raise ValueError(
                f"expected the inputs {list(self.inputs)} for regions '{self.config.regions}', got "
                f"{'no' if regions is None else 'also'} regions; choose another variant"
            )
        predicted: dict[str, Tensor] = {}
        if self.light is not None:
            light = self.light(left)
            predicted = {"regions": light.image, "border": light.border}
            regions = light.image
        elif regions is not None:
            regions = regions.nan_to_num()
        images = (left, right) if regions is None else (left, right, regions)
        logit = self.head(self._features(normalise(torch.cat(images, 1)))).float()
        return {"disparity": self.config.max_disparity_px * torch.sigmoid(logit), **predicted}

    def _features(self, x: Tensor) -> Tensor:
        """U-Net up to its head: [B, 6 or 9, H, W] -> [B, LAST, H, W]."""
        skips: list[Tensor | None] = [None]  # there is none at full resolution
        for stage in self.down:
            x = stage(x)
            skips.append(x)
        x = self.attention(x)
        for stage, skip in zip(self.up, skips[-2::-1], strict=True):
            x = stage(x, skip)
        return x


@register("usam_net")
def build_usam_net(**overrides: Any) -> UsamNet:
    """USAM-Net with the light branch, which predicts regions."""
    return UsamNet(with_overrides(UsamNetConfig(), overrides))
