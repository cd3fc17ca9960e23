# SPDX-License-Identifier: Apache-2.0
"""Scores of a network on batches that it never trains on, and a picture of its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import cv2
import numpy as np
import torch
from depth_models import LABELS
from depth_runtime.drawing import colour_values, palette
from depth_runtime.metrics import class_iou, confusion, depth_errors, disparity_errors, mean_iou
from torch import Tensor, nn

from ..batches.stereo_batch import StereoBatch
from ..objectives import MissingPredictionError, Objective

FIGURES = ("epe", "d1", "bad2")
DEPTH_FIGURES = ("abs_rel", "rmse", "delta1")
FARTHEST_M = 80.0  # of true depth that is scored, as on KITTI
FOCAL_BASELINE_PX_M = 100.0  # of the pair in whose disparities a picture shows depth
_CLASS_COLOURS = palette({label.id: label.color for label in LABELS})
CLASS_FIGURE = "iou_"  # and the name of the class


@torch.no_grad()
def validation_scores(
    network: nn.Module, batches: Sequence[StereoBatch], objective: Objective, autocast: AbstractContextManager
) -> dict[str, float]:
    """Means over the batches: loss, epe (px), d1, bad2 (%) of truth within the objective's range.

    Of a network that predicts depth: abs_rel (%), rmse (m), delta1 (%) up to FARTHEST_M, in metres of the views' own
    cameras, never scaled by the truth. Of all labelled pixels: miou, pixel_accuracy and iou_CLASS of each class that
    occurs (%). Figures that no batch has truth for, or that the network does not predict for this objective, are left
    out.
    network: in eval mode. All processes must call it alike, since masked means run over all of them.
    """
    rows, matrix = [], 0
    for batch in batches:
        with autocast:
            prediction = batch.predict_with(network, objective.predictions)
        errors = _disparity_figures(prediction, batch, objective.max_disparity_px)
        errors |= _depth_figures(network, prediction, batch)
        rows.append({"loss": _loss(objective, network, prediction, batch), **errors})
        if "semantic" in prediction:
            matrix = matrix + _confusion(prediction["semantic"], batch.semantic)
    known = {name: [row[name] for row in rows if np.isfinite(row[name])] for name in rows[0]}
    scores = {name: float(np.mean(values)) for name, values in known.items() if values}
    return scores | (class_figures(matrix) if np.sum(matrix) else {})


def class_figures(matrix: np.ndarray) -> dict[str, float]:
    """miou, pixel_accuracy and iou_CLASS (%) of a confusion matrix of depth_runtime.metrics.

    Classes without a true pixel are left out; what is wrongly called one of them still counts as an error.
    """
    names = {label.id: label.name for label in LABELS}
    of_class = {f"{CLASS_FIGURE}{names.get(i, i)}": float(iou) for i, iou in enumerate(class_iou(matrix))}
    figures = {"miou": mean_iou(matrix), "pixel_accuracy": 100 * float(np.trace(matrix) / matrix.sum())}
    return figures | {name: iou for name, iou in of_class.items() if np.isfinite(iou)}


def _disparity_figures(prediction: Mapping[str, Any], batch: StereoBatch, max_disparity_px: float) -> dict[str, float]:
    if "disparity" not in prediction:
        return {}
    truth = torch.where(batch.disparity_px < max_disparity_px, batch.disparity_px, torch.nan)
    errors = disparity_errors(prediction["disparity"].float().cpu().numpy(), truth.cpu().numpy())
    return {name: errors[name] for name in FIGURES}


def _depth_figures(network: nn.Module, prediction: Mapping[str, Any], batch: StereoBatch) -> dict[str, float]:
    if "depth" not in prediction:
        return {}
    ratio = batch.or_unknown("focal_px") / network.config.canonical_focal_px
    predicted_m = (prediction["depth"].float() * ratio[:, None, None, None]).cpu().numpy()
    errors = depth_errors(predicted_m, batch.or_unknown("depth_m").cpu().numpy(), max_depth_m=FARTHEST_M)
    return {name: errors[name] for name in DEPTH_FIGURES}


def _loss(objective: Objective, network: nn.Module, prediction: dict[str, Any], batch: StereoBatch) -> float:
    """The objective's sum; NaN where a network predicts what its objective needs only while it is trained."""
    try:
        return float(sum(objective(network, prediction, batch).values()))
    except MissingPredictionError:
        return float("nan")


def _confusion(logits: Tensor, truth: Tensor) -> np.ndarray:
    return confusion(_ids(_classes(logits, truth.shape[1:])), _ids(truth), logits.shape[1])


def _classes(logits: Tensor, size: Sequence[int]) -> Tensor:
    return nn.functional.interpolate(logits, size=size, mode="bilinear").argmax(1)


def _ids(labels: Tensor) -> np.ndarray:
    return labels.cpu().numpy().astype(np.uint8)


@torch.no_grad()
def prediction_panel(
    network: nn.Module, batch: StereoBatch, objective: Objective, count: int, autocast: AbstractContextManager
) -> np.ndarray:
    """uint8 [rows, columns, 3] RGB of the first `count` pairs: left, truth and prediction.

    Of disparity, or depth as disparity, and where there is any confidence as well; of classes where the objective needs
    neither.
    """
    batch = batch.first(count)
    with autocast:
        prediction = batch.predict_with(network, objective.predictions)
    if "disparity" in prediction:
        maps = batch.disparity_px, prediction["disparity"]
    elif "depth" in prediction:
        true_depth_m = batch.canonical_depth_m(network.config.canonical_focal_px)
        maps = FOCAL_BASELINE_PX_M / true_depth_m, FOCAL_BASELINE_PX_M / prediction["depth"]
    else:
        return np.vstack([np.hstack(_class_row(prediction, batch, index)) for index in range(len(batch.left))])
    return np.vstack([np.hstack(_near_row(*maps, prediction, batch, index)) for index in range(len(batch.left))])


def _near_row(
    true_maps: Tensor, maps: Tensor, prediction: Mapping[str, Tensor], batch: StereoBatch, index: int
) -> list[np.ndarray]:
    """Image and maps of disparity in px: the true one and the predicted one."""
    image = _image(batch, index)
    truth, disparity = (x[index, 0].float().cpu().numpy() for x in (true_maps, maps))
    top = max(1.0, float(np.nanpercentile(truth, 99))) if np.isfinite(truth).any() else float(disparity.max())
    columns = [image, *(colour_values(values, top) for values in (truth, disparity))]
    if "confidence" in prediction:
        sure = torch.sigmoid(prediction["confidence"][index, 0]).float().cpu().numpy()
        sure = cv2.resize((255 * sure).astype(np.uint8), image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        columns.append(np.repeat(sure[..., None], 3, 2))
    return columns


def _class_row(prediction: Mapping[str, Tensor], batch: StereoBatch, index: int) -> list[np.ndarray]:
    truth = batch.semantic[index]
    classes = _classes(prediction["semantic"][index : index + 1], truth.shape)[0]
    return [_image(batch, index), *(_CLASS_COLOURS[_ids(ids)] for ids in (truth, classes))]


def _image(batch: StereoBatch, index: int) -> np.ndarray:
    return batch.left[index].permute(1, 2, 0).clamp(0, 255).byte().cpu().numpy()
