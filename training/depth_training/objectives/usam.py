# SPDX-License-Identifier: Apache-2.0
"""Objective "usam": smooth L1 on disparity, as USAM-Net is trained, and distillation of region images."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from depth_models.labels import SKY
from torch import Tensor

from ..batches.stereo_batch import StereoBatch
from ..core.distributed import masked_mean
from .registry import Step, objective

SKIES = ("keep", "mask", "zero")


@dataclass(frozen=True)
class UsamOptions:
    """Weights of the terms: disparity in px, image of the regions (fraction of the range) and their border.

    sky: what pixels labelled sky teach, the paper's open question: "keep" their truth where there is one, "mask" them
    out, or "zero": a disparity of 0, true or not measured. border_pixels: how much heavier a border pixel counts.
    """

    disparity: float = 1.0
    image: float = 3.0
    border: float = 1.0
    border_pixels: float = 5.0
    sky: str = "keep"

    def __post_init__(self) -> None:
        if self.sky not in SKIES:
            raise ValueError(f"expected sky among {list(SKIES)}, got '{self.sky}'; correct it")


@objective("usam", UsamOptions, truth=("disparity_px",))
def usam(step: Step) -> dict[str, Tensor]:
    """Weighted losses; image and border only of a network that predicts them (the light branch).

    L = mean over known pixels of 0.5 e^2 where |e| < 1 px, else |e| - 0.5. Truth above step.max_disparity_px and
    regions that are not known count for nothing.
    """
    options = step.options
    truth, known = _truth(step.batch, options.sky, step.max_disparity_px)
    error = F.smooth_l1_loss(step.prediction["disparity"], truth, reduction="none")
    losses = {"disparity": options.disparity * masked_mean(error, known)}
    if "border" in step.prediction:
        losses |= _distillation(step, step.batch.with_regions().regions)
    return losses


def _truth(batch: StereoBatch, sky: str, max_disparity_px: float) -> tuple[Tensor, Tensor]:
    """Disparity without NaN and the mask of what counts, [B, 1, H, W] each."""
    truth = batch.disparity_px
    is_sky = batch.semantic[:, None] == SKY
    if sky == "zero":
        truth = torch.where(is_sky, 0, truth)
    known = (truth >= 0) & (truth < max_disparity_px)  # False where the truth is NaN
    if sky == "mask":
        known = known & ~is_sky
    return torch.where(known, truth, 0), known


def _distillation(step: Step, regions: Tensor) -> dict[str, Tensor]:
    """L1 between predicted and given image, cross entropy between predicted border and the image's black pixels."""
    known = regions.isfinite().all(1, keepdim=True)
    target = torch.where(known, regions, 0)
    is_border = (known & (target == 0).all(1, keepdim=True)).float()
    error = (step.prediction["regions"] - target).abs().mean(1, keepdim=True) / 255
    cross_entropy = F.binary_cross_entropy_with_logits(step.prediction["border"], is_border, reduction="none")
    weight = known * (1 + (step.options.border_pixels - 1) * is_border)
    return {
        "image": step.options.image * masked_mean(error, known),
        "border": step.options.border * masked_mean(cross_entropy, weight),
    }
