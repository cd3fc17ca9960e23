# SPDX-License-Identifier: Apache-2.0
"""Losses of the panoptic head."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from depth_models.blocks import double
from depth_models.panoptic.head import Panoptic
from depth_runtime.spec import UNLABELLED
from torch import Tensor

from ..core.distributed import masked_mean

CENTER_WEIGHT = 3.0
OFFSET_WEIGHT = 0.02


def panoptic_losses(prediction: Panoptic, targets: dict[str, Tensor], weights: Tensor) -> dict[str, Tensor]:
    """Scalar losses semantic, center, offset; targets: of panoptic_batch_targets; weights: float32 [classes].

    Semantic logits are doubled first: the exported network gives classes at half the input resolution.
    """
    truth = targets["semantic"]
    cross_entropy = F.cross_entropy(double(prediction.semantic), truth, reduction="none", ignore_index=UNLABELLED)
    known = truth != UNLABELLED
    semantic = masked_mean(cross_entropy, weights.to(truth.device)[torch.where(known, truth, 0)] * known)
    heat = targets["heat"]
    squared = (torch.sigmoid(prediction.center) - heat) ** 2 * (1 + 20 * heat)
    distance = F.smooth_l1_loss(prediction.offset, targets["offset"], reduction="none").mean(1, keepdim=True)
    return {
        "semantic": semantic,
        "center": CENTER_WEIGHT * masked_mean(squared, targets["heat_known"]),
        "offset": OFFSET_WEIGHT * masked_mean(distance, targets["offset_known"]),
    }
