# SPDX-License-Identifier: Apache-2.0
"""Objective "panoptic_stereo": truth for every stage of StereoPanoptic, its confidence, occlusion and panoptic head."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from depth_models.panoptic.head import Panoptic
from torch import Tensor

from ..batches.stereo_batch import StereoBatch
from ..core.distributed import masked_mean
from ..panoptic.batch_targets import panoptic_batch_targets
from ..panoptic.losses import panoptic_losses
from .registry import Step, objective

SURE_PX, SURE_SHARE = 1.0, 0.03  # an answer is good when its error is below 1 px + 3 % of the truth


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


@objective("panoptic_stereo", PanopticStereoOptions)
def panoptic_stereo(step: Step) -> dict[str, Tensor]:
    """Weighted scalar losses by name, from the answers of StereoPanoptic.

    What the batch does not know, and truth above step.max_disparity_px, counts for nothing.
    """
    terms = {
        **_disparity_losses(step.answer, step.batch, step.max_disparity_px, step.options),
        **_certainty_losses(step.answer, step.batch),
        **_panoptic_losses(step.answer, step.batch, step.options.class_weights),
    }
    return {name: getattr(step.options, name) * value for name, value in terms.items()}


def _disparity_losses(
    answer: dict[str, Tensor], batch: StereoBatch, max_disparity_px: float, options: PanopticStereoOptions
) -> dict[str, Tensor]:
    """Smooth L1 at full and half resolution, and the cross entropy of the matching distribution."""
    valid = (batch.disparity_px >= 0) & (batch.disparity_px < max_disparity_px)  # False where the truth is NaN
    truth = torch.where(valid, batch.disparity_px, 0)
    truth2, valid2 = (x[:, :, ::2, ::2] for x in (truth, valid))
    stride = truth.shape[-1] // answer["level_logits"].shape[-1]
    coarse = slice(stride // 2 - 1, None, stride)
    of_level, valid_levels = (x[:, 0, coarse, coarse] for x in (truth, valid))
    surprise = level_surprise(answer["level_logits"], of_level / stride)
    return {
        "full": masked_mean(_robust(answer["disparity"], truth, options), valid),
        "half": masked_mean(_robust(answer["disparity2"] * 2, truth2, options), valid2),
        "levels": masked_mean(surprise, valid_levels),
    }


def level_surprise(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy against the two levels next to the truth, weighted by nearness: -sum_l w_l log p_l.

    It keeps the distribution sharp and with one peak. logits [B, levels, h, w], truth [B, h, w] levels -> [B, h, w].
    """
    low = truth.floor().clamp(0, logits.shape[1] - 2)
    share = (truth - low).clamp(0, 1)
    log_p = torch.log_softmax(logits, 1)
    of_level = lambda level: log_p.gather(1, level.long()[:, None])[:, 0]  # noqa: E731
    return -(of_level(low) * (1 - share) + of_level(low + 1) * share)


def _certainty_losses(answer: dict[str, Tensor], batch: StereoBatch) -> dict[str, Tensor]:
    """Confidence learns where the present answer is good, occlusion where the right camera sees nothing."""
    truth = batch.disparity_px
    good = (answer["disparity"].detach() - truth).abs() < SURE_PX + SURE_SHARE * truth
    return {
        "confidence": _half_resolution_loss(answer["confidence"], good.float(), truth.isfinite()),
        "occlusion": _half_resolution_loss(answer["occlusion"], batch.occluded, batch.occluded.isfinite()),
    }


def _half_resolution_loss(logits: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Cross entropy of logits [B, 1, H/2, W/2] against the share of known pixels with target 1, [B, 1, H, W]."""
    weight = F.avg_pool2d(known.float(), 2)
    share = F.avg_pool2d(torch.where(known, target, 0), 2) / weight.clamp(min=0.25)
    return masked_mean(F.binary_cross_entropy_with_logits(logits, share, reduction="none"), weight)


def _panoptic_losses(
    answer: dict[str, Tensor], batch: StereoBatch, class_weights: tuple[float, ...]
) -> dict[str, Tensor]:
    # The targets are made for heads at a quarter of the labels' size.
    step = batch.semantic.shape[-1] // (4 * answer["semantic"].shape[-1])
    semantic, instance = (ids[:, ::step, ::step] for ids in (batch.semantic, batch.instance))
    targets = panoptic_batch_targets(semantic, instance, batch.has_instances)
    heads = Panoptic(answer["semantic"], answer["instance_center"], answer["instance_offset"])
    classes = answer["semantic"].shape[1]
    if class_weights and len(class_weights) != classes:
        raise ValueError(f"expected {classes} class_weights, one for each class, got {len(class_weights)}")
    return panoptic_losses(heads, targets, torch.tensor(class_weights or [1.0] * classes))


def _robust(answer_px: Tensor, truth_px: Tensor, options: PanopticStereoOptions) -> Tensor:
    penalty = F.smooth_l1_loss(answer_px, truth_px, reduction="none", beta=options.beta_px)
    return penalty.clamp(max=options.largest_error_px)
