# SPDX-License-Identifier: Apache-2.0
"""Objective "panoptic_stereo": truth for every stage of StereoPanoptic, its confidence, occlusion and panoptic head."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ..batches.stereo_batch import StereoBatch
from ..core.distributed import masked_mean
from .panoptic import panoptic_terms
from .registry import Step, objective

SURE_PX, SURE_FRACTION = 1.0, 0.03  # a prediction is good when its error is below 1 px + 3 % of the truth


@dataclass(frozen=True)
class PanopticStereoOptions:
    """Weights of the terms, and the shape of the disparity's penalty.

    largest_error_px: beyond it a pixel no longer pulls, since it has matched something else; beta_px: below it the
    penalty is quadratic. class_weights: factor of each class in the term "semantic"; empty = all alike.
    """

    largest_error_px: float = 40.0
    beta_px: float = 1.0
    full: float = 1.0
    half: float = 0.5
    levels: float = 0.5
    confidence: float = 0.3
    occlusion: float = 0.3
    semantic: float = 0.3
    center: float = 1.0
    offset: float = 1.0
    class_weights: tuple[float, ...] = ()


@objective("panoptic_stereo", PanopticStereoOptions, truth=("disparity_px", "semantic"))
def panoptic_stereo(step: Step) -> dict[str, Tensor]:
    """Weighted scalar losses by name, from the predictions of StereoPanoptic.

    What the batch does not know, and truth above step.max_disparity_px, counts for nothing.
    """
    terms = {
        **_disparity_losses(step.prediction, step.batch, step.max_disparity_px, step.options),
        **_certainty_losses(step.prediction, step.batch),
        **panoptic_terms(step.prediction, step.batch, step.options.class_weights),
    }
    return {name: getattr(step.options, name) * value for name, value in terms.items()}


def _disparity_losses(
    prediction: dict[str, Tensor], batch: StereoBatch, max_disparity_px: float, options: PanopticStereoOptions
) -> dict[str, Tensor]:
    """Smooth L1 at full and half resolution, and the cross entropy of the matching distribution."""
    valid = (batch.disparity_px >= 0) & (batch.disparity_px < max_disparity_px)  # False where the truth is NaN
    truth = torch.where(valid, batch.disparity_px, 0)
    truth2, valid2 = (x[:, :, ::2, ::2] for x in (truth, valid))
    stride = truth.shape[-1] // prediction["level_logits"].shape[-1]
    coarse = slice(stride // 2 - 1, None, stride)
    of_level, valid_levels = (x[:, 0, coarse, coarse] for x in (truth, valid))
    cross_entropy = level_cross_entropy(prediction["level_logits"], of_level / stride)
    return {
        "full": masked_mean(_robust(prediction["disparity"], truth, options), valid),
        "half": masked_mean(_robust(prediction["disparity2"] * 2, truth2, options), valid2),
        "levels": masked_mean(cross_entropy, valid_levels),
    }


def level_cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy against the two levels next to the truth, weighted by nearness: -sum_l w_l log p_l.

    It keeps the distribution sharp and with one peak. logits [B, levels, h, w], truth [B, h, w] levels -> [B, h, w].
    """
    low = truth.floor().clamp(0, logits.shape[1] - 2)
    fraction = (truth - low).clamp(0, 1)
    log_p = torch.log_softmax(logits, 1)
    of_level = lambda level: log_p.gather(1, level.long()[:, None])[:, 0]  # noqa: E731
    return -(of_level(low) * (1 - fraction) + of_level(low + 1) * fraction)


def _certainty_losses(prediction: dict[str, Tensor], batch: StereoBatch) -> dict[str, Tensor]:
    """Confidence learns where the present prediction is good, occlusion where the right camera sees nothing."""
    truth = batch.disparity_px
    good = (prediction["disparity"].detach() - truth).abs() < SURE_PX + SURE_FRACTION * truth
    return {
        "confidence": half_resolution_loss(prediction["confidence"], good.float(), truth.isfinite()),
        "occlusion": half_resolution_loss(prediction["occlusion"], batch.occluded, batch.occluded.isfinite()),
    }


def half_resolution_loss(logits: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Cross entropy of logits [B, 1, H/2, W/2] against the fraction of known pixels with target 1, [B, 1, H, W]."""
    weight = F.avg_pool2d(known.float(), 2)
    fraction = F.avg_pool2d(torch.where(known, target, 0), 2) / weight.clamp(min=0.25)
    return masked_mean(F.binary_cross_entropy_with_logits(logits, fraction, reduction="none"), weight)


def _robust(predicted_px: Tensor, truth_px: Tensor, options: PanopticStereoOptions) -> Tensor:
    penalty = F.smooth_l1_loss(predicted_px, truth_px, reduction="none", beta=options.beta_px)
    return penalty.clamp(max=options.largest_error_px)
