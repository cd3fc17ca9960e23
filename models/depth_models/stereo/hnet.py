# SPDX-License-Identifier: Apache-2.0
"""H-Net (Huang et al., CVPRW 2022): a Siamese autoencoder whose views attend to each other along epipolar lines.

Both views pass the same ResNet-18 and the same decoder. In between, each scale's maps of both views are joined and
convolved once for each view. Mutual attention stands behind the three deeper encoder stages (1/8, 1/16, 1/32) and
before the first three decoder blocks (1/32, 1/16, 1/8). It is meant for self-supervised training, predicts disparity
for both views, and its confidence is their agreement.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..backbones import ResNet18
from ..blocks import ConvBlock
from ..network import StereoNetwork
from ..registry import register, with_overrides
from .consistency import STRIDE, consistency_logits
from .epipolar_attention import KINDS, MutualAttention
from .sigmoid_decoder import SCALES, SigmoidDecoder, disparity_of_sigmoid

NO_ATTENTION = "none"
_ATTENDED = 3


@dataclass(frozen=True)
class HNetConfig:
    """attention: none, eg_mnl, eg_mea, ot_mnl or ot_mea; width: of ResNet-18 and decoder, 1 as in the paper.

    siamese: False is the paper's Monodepth2 with joined images: one encoder and one decoder for both views.
    """

    width: float = 1.0
    attention: str = "ot_mea"
    iterations: int = 10
    siamese: bool = True
    max_disparity_px: int = 192

    def __post_init__(self) -> None:
        choices = (NO_ATTENTION, *KINDS)
        if self.attention not in choices:
            raise ValueError(f"expected attention among {list(choices)}, got '{self.attention}'; choose one of them")
        if not self.siamese and self.attention != NO_ATTENTION:
            raise ValueError(f"expected attention 'none' without Siamese views, got '{self.attention}'; set it so")


class HNet(StereoNetwork):
    """Disparity of both views at four scales; the contract publishes that of the left view."""

    size_multiple = 32
    outputs: ClassVar[dict[str, int]] = {"disparity": 1, "confidence": STRIDE}

    def __init__(self, config: HNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or HNetConfig()
        self.backbone = ResNet18(config.width, images=1 if config.siamese else 2)
        channels = self.backbone.channels
        self.decoder = SigmoidDecoder(channels, config.width, views=1 if config.siamese else 2)
        self.fusions = nn.ModuleList(map(Fusion, channels)) if config.siamese else None
        self.attend_encoder, self.attend_decoder = nn.ModuleList(), nn.ModuleList()
        if config.attention != NO_ATTENTION:
            attend = lambda c: MutualAttention(c, config.attention, config.iterations)  # noqa: E731
            self.attend_encoder.extend(map(attend, channels[-_ATTENDED:]))
            self.attend_decoder.extend(map(attend, self.decoder.block_channels[:_ATTENDED]))

    @property
    def encoder(self) -> nn.Module:
        """The part that may start from ImageNet weights."""
        return self.backbone

    def load_backbone(self, path: str | Path) -> None:
        """Start the encoder from torchvision's ResNet-18 checkpoint."""
        self.backbone.load_imagenet(path)

    def forward(self, left: Tensor, right: Tensor) -> dict[str, Tensor]:
        """Rectified RGB pair [B, 3, H, W] in 0..255, H and W multiples of 32.

        disparity [B, 1, H, W] px; confidence: logits [B, 1, H/2, W/2]; for training left_8, left_4, left_2, left_1 and
        right_8 .. right_1: disparity of both views [B, 1, H/s, W/s], at every scale in px of the input.
        """
        sigmoids = self._siamese(left, right) if self.config.siamese else self._joined(left, right)
        prediction = {}
        for stride in SCALES:
            views = disparity_of_sigmoid(sigmoids[stride], self.config.max_disparity_px).chunk(2)
            prediction[f"left_{stride}"], prediction[f"right_{stride}"] = views
        confidence = consistency_logits(prediction["left_1"], prediction["right_1"])
        return {"disparity": prediction["left_1"], "confidence": confidence, **prediction}

    def _siamese(self, left: Tensor, right: Tensor) -> dict[int, Tensor]:
        """Sigmoid maps [2B, 1, ...], left views first, by stride."""
        x, maps = torch.cat((left, right)), []
        first_attended = len(self.backbone.channels) - _ATTENDED
        for index in range(len(self.backbone.channels)):
            x = self.backbone.stage(index, x)
            if self.attend_encoder and index >= first_attended:
                x = self.attend_encoder[index - first_attended](x)
            maps.append(x)
        fused = tuple(fusion(x) for fusion, x in zip(self.fusions, maps, strict=True))
        return self.decoder(fused, self.attend_decoder)

    def _joined(self, left: Tensor, right: Tensor) -> dict[int, Tensor]:
        """The same from joined images; the decoder predicts both views in two channels."""
        maps = self.decoder(self.backbone(torch.cat((left, right), 1)))
        return {stride: torch.cat(x.chunk(2, 1)) for stride, x in maps.items()}


class Fusion(nn.Module):
    """Both views' maps joined, then a 3x3 convolution of its own for each view."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.to_left, self.to_right = ConvBlock(2 * channels, channels), ConvBlock(2 * channels, channels)

    def forward(self, views: Tensor) -> Tensor:
        """[2B, C, H, W], left views first -> the same."""
        joined = torch.cat(views.chunk(2), 1)
        return torch.cat((self.to_left(joined), self.to_right(joined)))


@register("hnet")
def build_hnet(**overrides: Any) -> HNet:
    """H-Net with OT-MEA unless `attention` says otherwise."""
    return HNet(with_overrides(HNetConfig(), overrides))
