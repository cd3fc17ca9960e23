# SPDX-License-Identifier: Apache-2.0
"""Scores of a network on batches that it never trains on, and a picture of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import cv2
import numpy as np
import torch
from depth_runtime.metrics import confusion, disparity_errors, mean_iou
from torch import Tensor, nn

from ..batches.stereo_batch import StereoBatch
from ..core.pictures import colour_disparity
from ..objectives import MissingAnswerError, Objective

FIGURES = ("epe", "d1", "bad2")


@torch.no_grad()
def held_out_scores(
    network: nn.Module, batches: Sequence[StereoBatch], objective: Objective, autocast: AbstractContextManager
) -> dict[str, float]:
    """Means over the batches: loss, epe (px), d1, bad2 (%) of truth within the objective's range; miou (%) of all.

    Figures that no batch has truth for, or that the network does not answer, are left out.
    network: in eval mode. All processes must call it alike, since masked means run over all of them.
    """
    rows, matrix = [], 0
    for batch in batches:
        with autocast:
            answer = batch.ask(network)
        truth = torch.where(batch.disparity_px < objective.max_disparity_px, batch.disparity_px, torch.nan)
        errors = disparity_errors(answer["disparity"].float().cpu().numpy(), truth.cpu().numpy())
        rows.append({"loss": _loss(objective, network, answer, batch), **{name: errors[name] for name in FIGURES}})
        if "semantic" in answer:
            matrix = matrix + _confusion(answer["semantic"], batch.semantic)
    known = {name: [row[name] for row in rows if np.isfinite(row[name])] for name in rows[0]}
    scores = {name: float(np.mean(values)) for name, values in known.items() if values}
    return scores | ({"miou": mean_iou(matrix)} if np.sum(matrix) else {})


def _loss(objective: Objective, network: nn.Module, answer: dict[str, Any], batch: StereoBatch) -> float:
    """The objective's sum; NaN where a network answers what its objective needs only while it is trained."""
    try:
        return float(sum(objective(network, answer, batch).values()))
    except MissingAnswerError:
        return float("nan")


def _confusion(logits: Tensor, truth: Tensor) -> np.ndarray:
    ids = nn.functional.interpolate(logits, size=truth.shape[1:], mode="bilinear").argmax(1)
    return confusion(_ids(ids), _ids(truth), logits.shape[1])


def _ids(labels: Tensor) -> np.ndarray:
    return labels.cpu().numpy().astype(np.uint8)


@torch.no_grad()
def answer_panel(network: nn.Module, batch: StereoBatch, count: int, autocast: AbstractContextManager) -> np.ndarray:
    """uint8 [rows, columns, 3] RGB of the first `count` pairs: left, true disparity, answer, and where there is any
    confidence."""
    batch = batch.first(count)
    with autocast:
        answer = batch.ask(network)
    rows = []
    for index in range(len(batch.left)):
        image = batch.left[index].permute(1, 2, 0).clamp(0, 255).byte().cpu().numpy()
        truth, disparity = (x[index, 0].float().cpu().numpy() for x in (batch.disparity_px, answer["disparity"]))
        top = max(1.0, float(np.nanpercentile(truth, 99))) if np.isfinite(truth).any() else float(disparity.max())
        columns = [image, *(colour_disparity(values, top) for values in (truth, disparity))]
        if "confidence" in answer:
            sure = torch.sigmoid(answer["confidence"][index, 0]).float().cpu().numpy()
            sure = cv2.resize((255 * sure).astype(np.uint8), image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
            columns.append(np.repeat(sure[..., None], 3, 2))
        rows.append(np.hstack(columns))
    return np.vstack(rows)
