# SPDX-License-Identifier: Apache-2.0
"""Scores of a network on batches that it never trains on, and a picture of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import cv2
import numpy as np
import torch
from depth_runtime.metrics import confusion, disparity_errors, mean_iou
from torch import Tensor, nn

from .config import LossConfig
from .pictures import colour_disparity
from .stereo_batch import StereoBatch
from .stereo_losses import stereo_losses

FIGURES = ("epe", "d1", "bad2")


@torch.no_grad()
def held_out_scores(
    network: nn.Module, batches: Sequence[StereoBatch], config: LossConfig, autocast: AbstractContextManager
) -> dict[str, float]:
    """Means over the batches: loss, epe (px), d1, bad2 (%) of truth within the loss's range, miou (%).

    Figures that no batch has truth for are left out.
    network: in eval mode. All processes must call it alike, since masked means run over all of them.
    """
    rows = []
    for batch in batches:
        with autocast:
            answer = network(batch.left, batch.right)
        loss = sum(stereo_losses(answer, batch, config).values()).item()
        truth = torch.where(batch.disparity_px < config.max_disparity_px, batch.disparity_px, torch.nan)
        errors = disparity_errors(answer["disparity"].float().cpu().numpy(), truth.cpu().numpy())
        ids = nn.functional.interpolate(answer["semantic"], size=batch.semantic.shape[1:], mode="bilinear").argmax(1)
        matrix = confusion(_ids(ids), _ids(batch.semantic), answer["semantic"].shape[1])
        rows.append({"loss": loss, **{name: errors[name] for name in FIGURES}, "miou": mean_iou(matrix)})
    known = {name: [row[name] for row in rows if np.isfinite(row[name])] for name in rows[0]}
    return {name: float(np.mean(values)) for name, values in known.items() if values}


def _ids(labels: Tensor) -> np.ndarray:
    return labels.cpu().numpy().astype(np.uint8)


@torch.no_grad()
def answer_panel(network: nn.Module, batch: StereoBatch, count: int, autocast: AbstractContextManager) -> np.ndarray:
    """uint8 [rows, columns, 3] RGB: left, true disparity, answer and confidence of the first `count` pairs."""
    left, right = batch.left[:count], batch.right[:count]
    with autocast:
        answer = network(left, right)
    rows = []
    for index in range(len(left)):
        image = left[index].permute(1, 2, 0).clamp(0, 255).byte().cpu().numpy()
        truth, disparity = (x[index, 0].float().cpu().numpy() for x in (batch.disparity_px, answer["disparity"]))
        top = max(1.0, float(np.nanpercentile(truth, 99))) if np.isfinite(truth).any() else float(disparity.max())
        sure = torch.sigmoid(answer["confidence"][index, 0]).float().cpu().numpy()
        sure = cv2.resize((255 * sure).astype(np.uint8), image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        colours = [colour_disparity(values, top) for values in (truth, disparity)]
        rows.append(np.hstack([image, *colours, np.repeat(sure[..., None], 3, 2)]))
    return np.vstack(rows)
