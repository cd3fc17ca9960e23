# SPDX-License-Identifier: Apache-2.0
"""Light stereo network with a panoptic head, made of 2D convolutions and matrix products only.

Shared encoder -> group correlation at 1/4 -> 2D hourglass -> windowed soft-argmax -> convex upsampling to
1/2 -> one local refinement -> convex upsampling to the input resolution. The panoptic head reads the left
pyramid, so that it costs nothing when only disparity is fetched.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..backbones import EfficientNetLite0
from ..blocks import unit_channels
from ..labels import LABELS
from ..network import StereoNetwork
from ..panoptic import PanopticHead
from ..registry import register, with_overrides
from .correlation import correlation_volume
from .disparity import convex_upsample, windowed_argmax
from .features import PYRAMID_CHANNELS, FeatureNet
from .hourglass import Hourglass
from .refine import Refine

LEVEL_PX = 4  # one matching level is one pixel at 1/4 resolution


@dataclass(frozen=True)
class StereoPanopticConfig:
    """Widths of the network; the defaults are size S."""

    levels: int = 48
    match_channels: int = 64
    groups: int = 4
    aggregate_widths: tuple[int, int, int] = (64, 112, 160)
    aggregate_depth: int = 2
    refine_width: int = 32
    refine_radius: int = 2
    classes: int = len(LABELS)

    @property
    def max_disparity_px(self) -> int:
        """Largest disparity the network can predict, in input pixels."""
        return self.levels * LEVEL_PX


class StereoPanoptic(StereoNetwork):
    """Disparity, confidence and panoptic maps of the left view."""

    size_multiple = 32
    # Heads predict at their own stride; the runtime resizes what is published.
    outputs: ClassVar[dict[str, int]] = {
        "disparity": 1,
        "confidence": 2,
        "semantic": 2,
        "instance_center": 4,
        "instance_offset": 4,
    }

    def __init__(self, config: StereoPanopticConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or StereoPanopticConfig()
        self.features = FeatureNet(config.match_channels)
        self.temperature = nn.Parameter(torch.tensor(10.0))
        self.hourglass = Hourglass(config.levels, config.groups, config.aggregate_widths, config.aggregate_depth)
        self.refine = Refine(
            config.refine_width,
            config.refine_radius,
            config.aggregate_widths[0],
            EfficientNetLite0.CHANNELS[0],
        )
        self.panoptic = PanopticHead(PYRAMID_CHANNELS, config.classes)

    @property
    def encoder(self) -> nn.Module:
        """EfficientNet-Lite0."""
        return self.features.backbone

    def load_backbone(self, path: str | Path) -> None:
        """ImageNet weights of the public PyTorch port. Raises ValueError when a shape differs."""
        self.features.backbone.load_imagenet(path)

    def forward(self, left: Tensor, right: Tensor) -> dict[str, Any]:
        """Rectified RGB pair [B, 3, H, W] in 0..255, H and W multiples of 32.

        disparity [B, 1, H, W] px; confidence, occlusion: logits [B, 1, H/2, W/2]; semantic: logits
        [B, classes, H/4, W/4]; instance_center: logit [B, 1, H/4, W/4]; instance_offset [B, 2, H/4, W/4] =
        (dx, dy) in cells; for training also level_logits [B, levels, H/4, W/4], disparity2, the unrefined
        disparity [B, 1, H/2, W/2] in its own pixels, refined [B, refine_width, H/2, W/2], the features behind it, and
        left_features, right_features: tuples of the maps at 1/2 and 1/4 that the views are matched by.
        """
        batch = left.shape[0]
        both = self.features(torch.cat((left, right)))
        left_view, right_view = both.of_view(0, batch), both.of_view(batch, 2 * batch)
        match4 = unit_channels(both.match4.float(), self.config.groups).to(both.match4.dtype)
        sharp = match4[:batch] * self.temperature.to(match4.dtype)
        volume = correlation_volume(sharp, match4[batch:], self.config.levels, self.config.groups)
        logits, mask4, aggregated = self.hourglass(volume, left_view)
        logits = logits.float()
        disparity2 = convex_upsample(windowed_argmax(logits), mask4.float())
        refined = self.refine(disparity2, left_view, right_view, aggregated)
        panoptic = self._panoptic_maps(left_view.f4, left_view.f8, left_view.f16)
        return {
            "disparity": convex_upsample(refined.disparity, refined.mask),
            "confidence": refined.confidence,
            "occlusion": refined.occlusion,
            "refined": refined.features,
            **panoptic,
            "level_logits": logits,
            "disparity2": disparity2,
            "left_features": (left_view.match2, left_view.match4),
            "right_features": (right_view.match2, right_view.match4),
        }

    def left_view_maps(self, left: Tensor) -> dict[str, Tensor]:
        """semantic, instance_center and instance_offset as `forward` gives them, without any matching."""
        return self._panoptic_maps(*self.features.pyramid(left))

    def _panoptic_maps(self, f4: Tensor, f8: Tensor, f16: Tensor) -> dict[str, Tensor]:
        maps = self.panoptic(f4, f8, f16)
        return {
            "semantic": maps.semantic.float(),
            "instance_center": maps.center.float(),
            "instance_offset": maps.offset.float(),
        }


@register("stereo_s")
def build_stereo_s(**overrides: Any) -> StereoPanoptic:
    """Size S: about 11 GMACs at 384x640, for real time on embedded GPUs."""
    return StereoPanoptic(with_overrides(StereoPanopticConfig(), overrides))


SIZE_L = StereoPanopticConfig(
    match_channels=128, groups=8, aggregate_widths=(128, 192, 256), aggregate_depth=4, refine_width=64, refine_radius=4
)


@register("stereo_l")
def build_stereo_l(**overrides: Any) -> StereoPanoptic:
    """Size L: about 31 GMACs at 384x640, for workstations and large embedded GPUs."""
    return StereoPanoptic(with_overrides(SIZE_L, overrides))
