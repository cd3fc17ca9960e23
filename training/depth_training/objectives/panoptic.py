# SPDX-License-Identifier: Apache-2.0
"""Objective "panoptic": classes, centres and offsets alone, for a panoptic head on a network that must not change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from depth_models.panoptic.head import Panoptic
from torch import Tensor

from ..batches.stereo_batch import StereoBatch
from ..panoptic.batch_targets import panoptic_batch_targets
from ..panoptic.losses import panoptic_losses
from .registry import Step, objective

HEADS = ("semantic", "instance_center", "instance_offset")


@dataclass(frozen=True)
class PanopticOptions:
    """Weights of the terms. class_weights: factor of each class in the term "semantic"; empty = all alike."""

    semantic: float = 1.0
    center: float = 1.0
    offset: float = 1.0
    class_weights: tuple[float, ...] = ()


@objective("panoptic", PanopticOptions, predictions=HEADS, truth=("semantic",))
def panoptic(step: Step) -> dict[str, Tensor]:
    """Weighted scalar losses by name; unlabelled pixels and frames without instances count for nothing."""
    terms = panoptic_terms(step.prediction, step.batch, step.options.class_weights)
    return {name: getattr(step.options, name) * value for name, value in terms.items()}


def panoptic_terms(
    prediction: Mapping[str, Tensor], batch: StereoBatch, class_weights: tuple[float, ...]
) -> dict[str, Tensor]:
    """Losses semantic, center, offset of the predictions HEADS. Raises ValueError unless each class has a weight."""
    # The targets are made for heads at a quarter of the labels' size.
    step = batch.semantic.shape[-1] // (4 * prediction["semantic"].shape[-1])
    semantic, instance = (ids[:, ::step, ::step] for ids in (batch.semantic, batch.instance))
    targets = panoptic_batch_targets(semantic, instance, batch.has_instances)
    classes = prediction["semantic"].shape[1]
    if class_weights and len(class_weights) != classes:
        raise ValueError(f"expected {classes} class_weights, one for each class, got {len(class_weights)}")
    heads = Panoptic(*(prediction[name] for name in HEADS))
    return panoptic_losses(heads, targets, torch.tensor(class_weights or [1.0] * classes))
