# SPDX-License-Identifier: Apache-2.0
"""Objective "multiscale": true disparity and occlusion at every scale of DispNet (L_epe + L_occ of its loss)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ..core.distributed import masked_mean
from ..reconstruction import occluded_by_disparity
from .registry import Step, objective


def _epe(predicted_px: Tensor, truth_px: Tensor) -> Tensor:
    return (predicted_px - truth_px).abs()


def _smooth_l1(predicted_px: Tensor, truth_px: Tensor) -> Tensor:
    return F.smooth_l1_loss(predicted_px, truth_px, reduction="none")


ERRORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"epe": _epe, "smooth_l1": _smooth_l1}
DENSE = 0.9  # fraction of known disparities from which on they tell what is occluded


@dataclass(frozen=True)
class MultiscaleOptions:
    """disparity, occlusion: weights of the sums over scales; each coarser scale counts `coarser` times the finer one.

    occlusion_from_disparity: where a batch does not know what is occluded, take it from a dense true disparity.
    """

    error: str = "epe"
    disparity: float = 0.1
    occlusion: float = 0.3
    coarser: float = 0.7
    occlusion_from_disparity: bool = True

    def __post_init__(self) -> None:
        if self.error not in ERRORS:
            raise ValueError(f"expected error among {list(ERRORS)}, got '{self.error}'; correct it")


@objective("multiscale", MultiscaleOptions, truth=("disparity_px",))
def multiscale(step: Step) -> dict[str, Tensor]:
    """Weighted losses; the prediction at input resolution counts as one more, finest disparity scale."""
    options, truth = step.options, step.batch.disparity_px
    known = (truth >= 0) & (truth < step.max_disparity_px)  # False where the truth is NaN
    disparities = [step.prediction["disparity"], *reversed(step.prediction["disparity_scales"])]
    errors = [_error_of_scale(d, truth, known, ERRORS[options.error]) for d in disparities]
    occluded = _true_occlusion(step)
    cross_entropies = [_cross_entropy_of_scale(o, occluded) for o in reversed(step.prediction["occlusion_scales"])]
    return {
        "disparity": options.disparity * _weighted(errors, options.coarser),
        "occlusion": options.occlusion * _weighted(cross_entropies, options.coarser),
    }


def _error_of_scale(predicted_px: Tensor, truth_px: Tensor, known: Tensor, error: Callable) -> Tensor:
    """Mean error against the mean of what is known in each cell; disparities of all scales are in input pixels."""
    mean_px, weight = _of_cells(truth_px, known, predicted_px.shape[2:])
    return masked_mean(error(predicted_px, mean_px), weight)


def _cross_entropy_of_scale(logits: Tensor, occluded: Tensor) -> Tensor:
    """Cross entropy against the occluded fraction of what is known in each cell."""
    fraction, weight = _of_cells(occluded, occluded.isfinite(), logits.shape[2:])
    return masked_mean(F.binary_cross_entropy_with_logits(logits, fraction, reduction="none"), weight)


def _of_cells(value: Tensor, known: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Mean of the known values in each cell of a grid of `size`, and the known fraction of the cell."""
    weight = F.adaptive_avg_pool2d(known.float(), size)
    total = F.adaptive_avg_pool2d(torch.where(known, value, 0), size)
    return total / weight.clamp(min=1e-6), weight


def _true_occlusion(step: Step) -> Tensor:
    """float [B, 1, H, W]: 1 occluded, 0 visible, NaN unknown."""
    occluded, truth = step.batch.occluded, step.batch.disparity_px
    if not step.options.occlusion_from_disparity:
        return occluded
    dense = (truth.isfinite().float().mean((1, 2, 3), keepdim=True) >= DENSE) & truth.isfinite()
    found = torch.where(dense, occluded_by_disparity(truth).float(), torch.nan)
    return torch.where(occluded.isfinite(), occluded, found)


def _weighted(terms: list[Tensor], factor: float) -> Tensor:
    """Sum of terms from fine to coarse, each `factor` times as heavy as the one before."""
    return sum(term * factor**place for place, term in enumerate(terms))
