# SPDX-License-Identifier: Apache-2.0
"""A stereo network and objectives that cost next to nothing, for tests of what trains any of them.

As a module (`python -m tiny_network train ...`) it is depth_training's command line with these registered.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, ClassVar

import depth_models
import torch
from depth_models import StereoNetwork
from depth_training.core.distributed import masked_mean
from depth_training.objectives import Step, objective
from torch import Tensor, nn


@dataclass(frozen=True)
class TinyConfig:
    """Width and range of the network."""

    width: int = 4
    max_disparity_px: float = 32.0


class Tiny(StereoNetwork):
    """Two convolutions over both images; predicts disparity and, by a head of its own, occlusion."""

    size_multiple = 8
    outputs: ClassVar[dict[str, int]] = {"disparity": 1}

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = nn.Sequential(nn.Conv2d(6, config.width, 3, padding=1), nn.BatchNorm2d(config.width), nn.ReLU())
        self.disparity = nn.Conv2d(config.width, 1, 3, padding=1)
        self.occlusion = nn.Conv2d(config.width, 1, 1)

    @property
    def encoder(self) -> nn.Module:
        """The first layers."""
        return self.stem

    def forward(self, left: Tensor, right: Tensor) -> dict[str, Tensor]:
        """RGB pair [B, 3, H, W]."""
        x = self.stem(torch.cat((left, right), 1) / 255)
        return {"disparity": nn.functional.softplus(self.disparity(x)).float(), "occlusion": self.occlusion(x).float()}


@depth_models.register("tiny")
def build_tiny(**overrides: Any) -> Tiny:
    """The network with some fields of its config replaced."""
    return Tiny(TinyConfig(**overrides))


@dataclass(frozen=True)
class TinyOptions:
    """Weight of the only term."""

    weight: float = 1.0


@objective("tiny_truth", TinyOptions, truth=("disparity_px",))
def tiny_truth(step: Step) -> dict[str, Tensor]:
    """Absolute error of the disparity, and a pull on occlusion so that each head has a gradient."""
    known = step.batch.disparity_px < step.max_disparity_px
    error = (step.prediction["disparity"] - torch.where(known, step.batch.disparity_px, 0)).abs()
    pull = step.prediction["occlusion"].square()
    return {"truth": step.options.weight * masked_mean(error, known), "pull": masked_mean(pull, torch.ones_like(pull))}


@objective("tiny_images", TinyOptions)
def tiny_images(step: Step) -> dict[str, Tensor]:
    """Disparity should be like the left view's brightness: no truth is used, and occlusion gets no gradient."""
    assert step.batch.disparity_px.isnan().all()
    error = (step.prediction["disparity"] - step.batch.left.mean(1, keepdim=True) / 10).abs()
    return {"images": step.options.weight * masked_mean(error, torch.ones_like(error))}


if __name__ == "__main__":
    from depth_training.cli import main

    sys.exit(main())
