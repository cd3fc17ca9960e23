# SPDX-License-Identifier: Apache-2.0
"""Losses of the panoptic head."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from depth_models.blocks import double
from depth_models.panoptic.head import Panoptic
from depth_runtime.spec import UNLABELLED
from torch import Tensor

from ..core.distributed import masked_mean

CENTER_WEIGHT = 3.0
OFFSET_WEIGHT = 0.02


def class_weights(counts: np.ndarray) -> Tensor:
    """Weights float32 [classes] that balance rare classes: (median share / share) ** 0.5, within 0.4..4.

    counts: labelled pixels per class, or shares of any sum; a class without pixels weighs 1.
    """
    share = counts / counts.sum()
    seen = share > 0
    weights = np.ones(len(counts), np.float32)
    weights[seen] = np.sqrt(np.median(share[seen]) / share[seen]).clip(0.4, 4)
    return torch.from_numpy(weights)


def panoptic_losses(answer: Panoptic, targets: dict[str, Tensor], weights: Tensor) -> dict[str, Tensor]:
    """Scalar losses semantic, center, offset; targets are stacked fields of PanopticTargets.

    Semantic logits are doubled first: the exported network answers classes at half the input resolution.
    """
    truth = targets["semantic"].long()
    surprise = F.cross_entropy(double(answer.semantic), truth, reduction="none", ignore_index=UNLABELLED)
    known = truth != UNLABELLED
    semantic = masked_mean(surprise, weights.to(truth.device)[torch.where(known, truth, 0)] * known)
    heat = targets["heat"]
    squared = (torch.sigmoid(answer.center) - heat) ** 2 * (1 + 20 * heat)
    distance = F.smooth_l1_loss(answer.offset, targets["offset"], reduction="none").mean(1, keepdim=True)
    return {
        "semantic": semantic,
        "center": CENTER_WEIGHT * masked_mean(squared, targets["heat_known"]),
        "offset": OFFSET_WEIGHT * masked_mean(distance, targets["offset_known"]),
    }
