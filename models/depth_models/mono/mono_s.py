# SPDX-License-Identifier: Apache-2.0
"""Light network of a single camera: metric depth at a canonical focal length, its confidence, and panoptic maps.

Encoder, feature pyramid and panoptic head are those of stereo_s, so that it can start from its weights; a decoder of
its own turns the same features into depth. For a camera of focal length f (px, at the size of the network's input)
true depth is depth * f / canonical_focal_px.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn

from ..labels import LABELS
from ..network import MonoNetwork
from ..panoptic import PanopticHead
from ..registry import register, with_overrides
from ..stereo.features import PYRAMID_CHANNELS, FeatureNet
from ..stereo.stereo_panoptic import StereoPanoptic
from .depth_decoder import DepthDecoder


@dataclass(frozen=True)
class MonoSConfig:
    """Widths of the network, and what its depth means.

    canonical_focal_px: focal length for which depth is metric; nearest_m, farthest_m: the range of depth for it.
    """

    canonical_focal_px: float = 500.0
    nearest_m: float = 0.5
    farthest_m: float = 200.0
    decoder_width: int = 96
    classes: int = len(LABELS)

    def __post_init__(self) -> None:
        if not (self.canonical_focal_px > 0 and 0 < self.nearest_m < self.farthest_m):
            raise ValueError(
                "expected canonical_focal_px > 0 and 0 < nearest_m < farthest_m, got "
                f"{self.canonical_focal_px}, {self.nearest_m} and {self.farthest_m}; correct network.config"
            )


class MonoS(MonoNetwork):
    """Depth, confidence and panoptic maps of one view."""

    size_multiple = 32
    outputs: ClassVar[dict[str, int]] = {
        "depth": 1,
        "confidence": 2,
        "semantic": 2,
        "instance_center": 4,
        "instance_offset": 4,
    }

    def __init__(self, config: MonoSConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or MonoSConfig()
        self.features = FeatureNet(match_channels=0)
        self.depth = DepthDecoder(config.decoder_width, config.nearest_m, config.farthest_m)
        self.panoptic = PanopticHead(PYRAMID_CHANNELS, config.classes)

    @property
    def encoder(self) -> nn.Module:
        """EfficientNet-Lite0."""
        return self.features.backbone

    def load_backbone(self, path: str | Path) -> None:
        """ImageNet weights of the public PyTorch port. Raises ValueError when a shape differs."""
        self.features.backbone.load_imagenet(path)

    def start_from(self, other: nn.Module) -> None:
        """Take features and panoptic head of a StereoPanoptic network; the depth decoder stays as it is.

        Raises ValueError for a network of another kind or with other classes.
        """
        if not isinstance(other, StereoPanoptic):
            raise ValueError(f"expected a StereoPanoptic network to start from, got {type(other).__name__}")
        theirs = other.features.state_dict()
        self.features.load_state_dict({name: theirs[name] for name in self.features.state_dict()})
        try:
            self.panoptic.load_state_dict(other.panoptic.state_dict())
        except RuntimeError as error:
            raise ValueError(f"expected a network of the same classes to start from: {error}") from error

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """RGB view [B, 3, H, W] in 0..255, H and W multiples of 32.

        depth [B, 1, H, W] m at the canonical focal length; confidence: logit [B, 1, H/2, W/2] that the relative error
        of depth is below 10 %; semantic: logits [B, classes, H/4, W/4]; instance_center: logit [B, 1, H/4, W/4];
        instance_offset [B, 2, H/4, W/4] = (dx, dy) in cells.
        """
        view = self.features.context(image)
        depth, maps = self.depth(view), self.panoptic(view.f4, view.f8, view.f16)
        return {
            "depth": depth.depth_m,
            "confidence": depth.confidence,
            "semantic": maps.semantic.float(),
            "instance_center": maps.center.float(),
            "instance_offset": maps.offset.float(),
        }


@register("mono_s")
def build_mono_s(**overrides: Any) -> MonoS:
    """Size S: 3.3 GMACs at 192x640, for real time on embedded GPUs."""
    return MonoS(with_overrides(MonoSConfig(), overrides))
