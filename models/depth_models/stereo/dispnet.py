# SPDX-License-Identifier: Apache-2.0
"""DispNet with correlation (Mayer et al. 2016), with disparity and occlusion at six scales.

Encoder and decoder of plain convolutions: three layers see each view by itself, their correlation along the row
replaces the right view, everything after it belongs to the left one. Departures from the paper: the third shared
layer (the paper shares two) stands at 1/4, features are compared at unit length, disparities are corrections of the
next coarser scale, and batch norm can be switched on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ..blocks import double, unit_channels
from ..network import StereoNetwork
from ..registry import register, with_overrides
from .correlation import correlation_volume
from .features import normalise

LEVEL_PX = 4  # the correlation stands at 1/4 resolution
UNIT_PX = 32.0  # layers give disparities in this unit, so that their numbers are near 1
ENCODER = (256, 512, 512, 1024)  # channels at 1/8, 1/16, 1/32, 1/64
DECODER = (512, 256, 128, 64, 32)  # at 1/32, 1/16, 1/8, 1/4, 1/2


@dataclass(frozen=True)
class DispNetConfig:
    """width: factor of all channels, 1 = the paper's; levels: shifts of the correlation, one each 4 px."""

    width: float = 1.0
    levels: int = 48
    batch_norm: bool = False

    @property
    def max_disparity_px(self) -> int:
        """Largest disparity that the correlation covers, in input pixels."""
        return self.levels * LEVEL_PX


class Estimate(NamedTuple):
    """Disparity in UNIT_PX and occlusion logit of one scale, float32 [B, 1, h, w] each."""

    disparity: Tensor
    occlusion: Tensor


class Conv(nn.Sequential):
    """Convolution with 'same' padding, batch norm where asked for, leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, batch_norm: bool) -> None:
        conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=not batch_norm)
        super().__init__(conv, *([nn.BatchNorm2d(outputs)] if batch_norm else []), nn.LeakyReLU(0.1, inplace=True))


class DecoderStage(nn.Module):
    """Twice the resolution: upsampled features, the encoder's at that scale and the coarser estimate."""

    def __init__(self, inputs: int, outputs: int, skip: int, batch_norm: bool) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
        self.merge = Conv(outputs + skip + 2, outputs, 3, 1, batch_norm)
        self.predict = nn.Conv2d(outputs, 2, 3, padding=1)

    def forward(self, x: Tensor, skip: Tensor, coarse: Estimate) -> tuple[Tensor, Estimate]:
        """Features and estimate of the next coarser scale -> those of this one."""
        coarse = Estimate(*(double(part) for part in coarse))
        up = F.leaky_relu(self.up(x), 0.1)
        x = self.merge(torch.cat((up, skip, *(part.to(up.dtype) for part in coarse)), 1))
        correction, occlusion = self.predict(x).float().split(1, 1)
        return x, Estimate(coarse.disparity + correction, occlusion)


class DispNet(StereoNetwork):
    """Disparity and occlusion of the left view at 1/64 to 1/2; the prediction is the finest, brought to full size."""

    size_multiple = 64
    outputs: ClassVar[dict[str, int]] = {"disparity": 1, "confidence": 2}

    def __init__(self, config: DispNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DispNetConfig()
        norm = config.batch_norm
        c2, c4, redirected, *encoder = (self._channels(c) for c in (64, 128, 64, *ENCODER))
        decoder = [self._channels(c) for c in DECODER]
        self.shared = nn.ModuleList([Conv(3, c2, 7, 2, norm), Conv(c2, c4, 5, 2, norm), Conv(c4, c4, 3, 1, norm)])
        self.redirect = Conv(c4, redirected, 1, 1, norm)
        inputs, kernels = [config.levels + redirected, *encoder], (5, 3, 3, 3)
        self.down = nn.ModuleList(
            nn.Sequential(Conv(i, o, kernel, 2, norm), Conv(o, o, 3, 1, norm))
            for i, o, kernel in zip(inputs, encoder, kernels, strict=False)
        )
        self.coarsest = nn.Conv2d(encoder[-1], 2, 3, padding=1)
        skips = [*encoder[-2::-1], c4, c2]
        self.stages = nn.ModuleList(
            DecoderStage(i, o, skip, norm) for i, o, skip in zip([encoder[-1], *decoder], decoder, skips, strict=False)
        )
        self.apply(_initialise)
        for layer in (self.coarsest, *(stage.predict for stage in self.stages)):
            nn.init.normal_(layer.weight, std=1e-3)  # at first: disparity near 0 and no correction of it

    def _channels(self, of_paper: int) -> int:
        return max(8, round(of_paper * self.config.width / 8) * 8)

    def forward(self, left: Tensor, right: Tensor) -> dict[str, Any]:
        """Rectified RGB pair [B, 3, H, W] in 0..255, H and W multiples of 64.

        disparity [B, 1, H, W] px >= 0; occlusion: logits [B, 1, H/2, W/2]; confidence = -occlusion. For training:
        disparity_scales (px of the input, of any sign) and occlusion_scales (logits), tuples of [B, 1, h, w] at 1/64,
        .., 1/2; left_features and right_features: tuples of the three shared layers' maps at 1/2, 1/4, 1/4.
        """
        batch = left.shape[0]
        maps = [normalise(torch.cat((left, right)))]
        for layer in self.shared:
            maps.append(layer(maps[-1]))
        left_maps, right_maps = zip(*(x.split(batch) for x in maps[1:]), strict=True)
        estimates = self._estimates(left_maps, right_maps[-1])
        disparities = tuple(UNIT_PX * estimate.disparity for estimate in estimates)
        finest = estimates[-1]
        return {
            "disparity": F.relu(double(disparities[-1])),
            "confidence": -finest.occlusion,
            "occlusion": finest.occlusion,
            "disparity_scales": disparities,
            "occlusion_scales": tuple(estimate.occlusion for estimate in estimates),
            "left_features": left_maps,
            "right_features": right_maps,
        }

    def _estimates(self, left_maps: tuple[Tensor, ...], right_map: Tensor) -> list[Estimate]:
        """Coarse to fine, from the left view's shared maps and the deepest of the right view."""
        c2, c4, deepest = left_maps
        views = (unit_channels(view.float()).to(view.dtype) for view in (deepest, right_map))
        volume = correlation_volume(*views, self.config.levels, 1)
        x = torch.cat((volume, self.redirect(deepest)), 1)
        skips = [c2, c4]
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        estimates = [Estimate(*self.coarsest(x).float().split(1, 1))]
        for stage, skip in zip(self.stages, skips[-2::-1], strict=True):
            x, estimate = stage(x, skip, estimates[-1])
            estimates.append(estimate)
        return estimates


def _initialise(module: nn.Module) -> None:
    """He et al. 2015 for leaky ReLU: without norms torch's own choice lets six scales of features fade away."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        # A transposed convolution's weight is stored the other way round; stride 2 uses a quarter of its taps each.
        gain, fan = (1.0, "fan_in") if isinstance(module, nn.Conv2d) else (2.0, "fan_out")
        nn.init.kaiming_normal_(module.weight, 0.1, fan)
        with torch.no_grad():
            module.weight.mul_(gain)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


@register("dispnet")
def build_dispnet(**overrides: Any) -> DispNet:
    """DispNet with correlation: 33 GMACs at 384x640 in the paper's width."""
    return DispNet(with_overrides(DispNetConfig(), overrides))
