# SPDX-License-Identifier: Apache-2.0
"""The smallest stereo network: the panoptic stereo network on the pair at half size, refined once at full size.

Three quarters of all multiplications vanish with the first halving; what it loses is fine detail, which one more
local correlation between shallow features of the full-size views brings back.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ..blocks import ConvBlock, InvertedResidual, double, unit_channels
from ..network import StereoNetwork
from ..registry import register, with_overrides
from .correlation import local_correlation
from .disparity import convex_upsample, start_bilinear
from .features import DETAIL_CHANNELS, normalise
from .refine import DISPARITY_SCALE
from .stereo_panoptic import StereoPanoptic, StereoPanopticConfig


@dataclass(frozen=True)
class StereoXsConfig(StereoPanopticConfig):
    """Widths of the network for the halved pair, and of the refinement at 1/2."""

    levels: int = 24
    fine_width: int = 16
    fine_radius: int = 2
    fine_channels: int = 8

    @property
    def max_disparity_px(self) -> int:
        """Largest disparity the network can predict, in input pixels."""
        return 2 * super().max_disparity_px


class FineRefine(nn.Module):
    """Residual correction of a disparity at 1/2 within +-radius of its pixels, and the step to full resolution."""

    def __init__(self, width: int, radius: int, channels: int, core_width: int) -> None:
        super().__init__()
        self.radius = radius
        self.detail = ConvBlock(3, DETAIL_CHANNELS, 3, 2)
        self.match = nn.Sequential(
            ConvBlock(DETAIL_CHANNELS, DETAIL_CHANNELS, groups=DETAIL_CHANNELS), nn.Conv2d(DETAIL_CHANNELS, channels, 1)
        )
        self.squeeze = ConvBlock(core_width, width, 1)
        self.enter = ConvBlock(2 * radius + 2 + DETAIL_CHANNELS + width, width, 1)
        self.body = nn.Sequential(*[InvertedResidual(width, width, dilation=dilation) for dilation in (1, 2, 1)])
        self.head = nn.Conv2d(width, 3, 3, padding=1)
        self.mask = nn.Conv2d(width, 36, 1)
        start_from_bilinear(self.head, self.mask)

    def forward(self, left: Tensor, right: Tensor, coarse: dict[str, Tensor]) -> dict[str, Tensor]:
        """Normalised full-size views [B, 3, H, W] and the core's prediction for the halved pair."""
        batch, disparity2 = left.shape[0], coarse["disparity"]
        detail = self.detail(torch.cat((left, right)))
        views = unit_channels(self.match(detail).float())
        correlation = local_correlation(views[:batch], views[batch:], disparity2, self.radius)
        inputs = (correlation, disparity2 * DISPARITY_SCALE, detail[:batch], double(self.squeeze(coarse["refined"])))
        x = self.body(self.enter(torch.cat([part.to(detail.dtype) for part in inputs], 1)))
        residual, confidence, occlusion = self.head(x).float().split(1, 1)
        return {
            "disparity": convex_upsample(F.relu(disparity2 + residual), self.mask(x).float()),
            "confidence": double(coarse["confidence"]) + confidence,
            "occlusion": double(coarse["occlusion"]) + occlusion,
        }


class StereoXs(StereoNetwork):
    """Disparity, confidence and panoptic maps of the left view; the latter at half the resolution of size S."""

    size_multiple = 64
    outputs: ClassVar[dict[str, int]] = {
        "disparity": 1,
        "confidence": 2,
        "semantic": 4,
        "instance_center": 8,
        "instance_offset": 8,
    }

    def __init__(self, config: StereoXsConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or StereoXsConfig()
        self.core = StereoPanoptic(config)
        self.fine = FineRefine(config.fine_width, config.fine_radius, config.fine_channels, config.refine_width)

    @property
    def encoder(self) -> nn.Module:
        """The part that may start from ImageNet weights."""
        return self.core.features.backbone

    def load_backbone(self, path: str | Path) -> None:
        """Start the encoder from an ImageNet checkpoint of EfficientNet-Lite0."""
        self.encoder.load_imagenet(path)

    def start_from(self, other: nn.Module) -> None:
        """Take the core's weights, and the first layer of the refinement, from a StereoPanoptic network.

        Of more matching levels than the core has, the nearer distances are left out. Raises ValueError for
        a network of another kind or of other widths.
        """
        if not isinstance(other, StereoPanoptic):
            raise ValueError(f"expected a StereoPanoptic network to start from, got {type(other).__name__}")
        levels, groups = self.config.levels, self.config.groups
        weights = other.state_dict()
        enter = weights["hourglass.enter.0.0.weight"]
        volume, context = enter.split([groups * other.config.levels, enter.shape[1] - groups * other.config.levels], 1)
        volume = volume.unflatten(1, (groups, -1))[:, :, :levels].flatten(1, 2)
        weights["hourglass.enter.0.0.weight"] = torch.cat((volume, context), 1)
        for name in ("hourglass.logits.weight", "hourglass.logits.bias"):
            weights[name] = weights[name][:levels]
        try:
            self.core.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(f"expected a network of the core's widths to start from: {error}") from error
        self.fine.detail.load_state_dict(other.features.detail2.state_dict())

    def forward(self, left: Tensor, right: Tensor) -> dict[str, Tensor]:
        """Rectified RGB pair [B, 3, H, W] in 0..255, H and W multiples of 64.

        disparity [B, 1, H, W] px; confidence, occlusion: logits [B, 1, H/2, W/2]; disparity2 [B, 1, H/2, W/2], the
        core's prediction in its own pixels; all others as StereoPanoptic gives them for the halved pair.
        """
        coarse = self.core(*(F.avg_pool2d(view, 2) for view in (left, right)))
        fine = self.fine(normalise(left), normalise(right), coarse)
        of_core = ("semantic", "instance_center", "instance_offset", "level_logits")
        return fine | {name: coarse[name] for name in of_core} | {"disparity2": coarse["disparity"]}

    def left_view_maps(self, left: Tensor) -> dict[str, Tensor]:
        """semantic, instance_center and instance_offset as `forward` gives them, without any matching."""
        return self.core.left_view_maps(F.avg_pool2d(left, 2))


def start_from_bilinear(head: nn.Conv2d, mask: nn.Conv2d) -> None:
    """Set both layers so that at first nothing is corrected and the disparity is upsampled bilinearly."""
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    start_bilinear(mask)


@register("stereo_xs")
def build_stereo_xs(**overrides: Any) -> StereoXs:
    """Size XS: about 3.4 GMACs at 384x640, for CPUs and small embedded GPUs."""
    return StereoXs(with_overrides(StereoXsConfig(), overrides))
