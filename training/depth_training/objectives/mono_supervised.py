# SPDX-License-Identifier: Apache-2.0
"""Objective "mono_supervised": true metres for a network of one camera, its confidence and its panoptic head.

Depth is compared at the network's canonical focal length f_c: Z_c = Z f_c / f, see StereoBatch.canonical_depth_m. No
scale or shift is taken out anywhere, since the network must know metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.distributed import masked_mean
from .panoptic import HEADS, panoptic_terms
from .panoptic_stereo import half_resolution_loss
from .registry import Step, objective

GOOD_FRACTION = 0.1  # a prediction is good when its relative error is below it
STRIDES = (1, 2, 4, 8)  # between the pixels whose steps are compared


@dataclass(frozen=True)
class MonoSupervisedOptions:
    """Weights of the terms. class_weights: factor of each class in the term "semantic"; empty = all alike."""

    depth: float = 5.0
    steps: float = 2.0
    confidence: float = 0.3
    semantic: float = 0.3
    center: float = 1.0
    offset: float = 1.0
    class_weights: tuple[float, ...] = ()


@objective(
    "mono_supervised",
    MonoSupervisedOptions,
    predictions=("depth", "confidence", *HEADS),
    truth=("depth_m", "semantic"),
)
def mono_supervised(step: Step) -> dict[str, Tensor]:
    """Weighted scalar losses by name; what the batch does not know, its camera included, counts for nothing.

    depth: mean |e| of e = log(Z / Z*); steps: mean |e_i - e_j| of neighbours at STRIDES, which keeps edges of depth
    sharp and surfaces even; confidence: cross entropy against |Z / Z* - 1| < GOOD_FRACTION.
    """
    depth_m = step.prediction["depth"]
    truth_m, known = _truth(step)
    error = (depth_m / truth_m).log()
    good = (depth_m.detach() / truth_m - 1).abs() < GOOD_FRACTION
    terms = {
        "depth": masked_mean(error.abs(), known),
        "steps": torch.stack([_steps(error, known, stride) for stride in STRIDES]).mean(),
        "confidence": half_resolution_loss(step.prediction["confidence"], good.float(), known),
        **panoptic_terms(step.prediction, step.batch, step.options.class_weights),
    }
    return {name: getattr(step.options, name) * value for name, value in terms.items()}


def _truth(step: Step) -> tuple[Tensor, Tensor]:
    """Canonical depth [B, 1, H, W] m, 1 where it is unknown, and the mask of what counts.

    Farther than the network's range is its far end, the sky too; nearer than its range it is unknown.
    """
    config = step.network.config
    truth_m = step.batch.canonical_depth_m(config.canonical_focal_px)
    known = truth_m >= config.nearest_m  # False where the truth is NaN
    return torch.where(known, truth_m.clamp(max=config.farthest_m), 1), known


def _steps(error: Tensor, known: Tensor, stride: int) -> Tensor:
    """Mean change of the error between neighbours in rows and columns, `stride` pixels apart."""
    error, known = error[..., ::stride, ::stride], known[..., ::stride, ::stride]
    across = masked_mean((error[..., 1:] - error[..., :-1]).abs(), known[..., 1:] & known[..., :-1])
    down = masked_mean((error[..., 1:, :] - error[..., :-1, :]).abs(), known[..., 1:, :] & known[..., :-1, :])
    return across + down
