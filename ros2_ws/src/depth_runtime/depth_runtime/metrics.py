# SPDX-License-Identifier: Apache-2.0
"""Accuracy figures in numpy: one definition for training, export, evaluation and replay.

Disparity figures follow KITTI 2015 (D1: error > 3 px and > 5 % of the truth) and Middlebury (bad-n: error
> n px); mIoU is the mean over classes that occur in the truth.
"""

from __future__ import annotations

import numpy as np

from .spec import UNLABELLED


def disparity_errors(
    predicted_px: np.ndarray, truth_px: np.ndarray, keep: np.ndarray | None = None
) -> dict[str, float]:
    """Errors of a disparity map over the pixels with truth.

    predicted_px, truth_px: float [H, W] pixels; truth counts where it is finite and > 0. A predicted value
    that is not finite, or a pixel outside `keep` (bool [H, W]), is left out of the errors and lowers density.
    Returns epe (px), d1, bad1, bad2, bad3, density (all per cent) and pixels (count scored); the errors are NaN
    where nothing is left to score. Raises ValueError when shapes differ.
    """
    if predicted_px.shape != truth_px.shape:
        raise ValueError(
            f"expected disparity of the truth's shape {truth_px.shape}, got {predicted_px.shape}; "
            "undo the resize plan before scoring"
        )
    known = np.isfinite(truth_px) & (truth_px > 0)
    scored = known & np.isfinite(predicted_px)
    if keep is not None:
        scored &= keep
    error = np.abs(predicted_px[scored] - truth_px[scored])
    truth = truth_px[scored]
    percent = lambda wrong: float(100 * wrong.mean()) if error.size else float("nan")  # noqa: E731
    return {
        "epe": float(error.mean()) if error.size else float("nan"),
        "d1": percent((error > 3) & (error > 0.05 * truth)),
        "bad1": percent(error > 1),
        "bad2": percent(error > 2),
        "bad3": percent(error > 3),
        "density": 100.0 * error.size / max(1, int(known.sum())),
        "pixels": int(error.size),
    }


def depth_errors(
    predicted_m: np.ndarray, truth_m: np.ndarray, median_scaled: bool = False, max_depth_m: float = np.inf
) -> dict[str, float]:
    """Errors of a depth map over the pixels where truth and prediction are finite and > 0 (Eigen et al., 2014).

    predicted_m, truth_m: float [H, W] metres. median_scaled: the prediction is first multiplied by
    `median(z*) / median(z)`, for networks that know no metre. max_depth_m: farther truth does not count, and a farther
    prediction (infinity too) is taken as this distance, after scaling; without it infinity is no prediction. Returns
    abs_rel = `mean(|z - z*| / z*)` (per cent), sq_rel = `mean((z - z*)^2 / z*)` (m), rmse (m), rmse_log (of natural
    logarithms), delta1..3 = percent of `max(z / z*, z* / z) < 1.25^i` (per cent), density (per cent) and pixels
    (count scored); the errors are NaN where nothing is left to score. Raises ValueError when shapes differ.
    """
    if predicted_m.shape != truth_m.shape:
        raise ValueError(f"expected depth of the truth's shape {truth_m.shape}, got {predicted_m.shape}")
    limited = bool(np.isfinite(max_depth_m))
    known = np.isfinite(truth_m) & (truth_m > 0) & (truth_m <= max_depth_m)
    scored = known & (predicted_m > 0) & (limited | np.isfinite(predicted_m))
    truth, predicted = truth_m[scored].astype(np.float64), predicted_m[scored].astype(np.float64)
    if median_scaled and truth.size:
        predicted *= np.median(truth) / np.median(predicted)
    predicted = np.minimum(predicted, max_depth_m)
    ratio, error_m = predicted / truth, predicted - truth
    mean = lambda values: float(values.mean()) if ratio.size else float("nan")  # noqa: E731
    worse = np.maximum(ratio, 1 / ratio)
    return {
        "abs_rel": 100 * mean(np.abs(ratio - 1)),
        "sq_rel": mean(error_m**2 / truth),
        "rmse": mean(error_m**2) ** 0.5,
        "rmse_log": mean(np.log(ratio) ** 2) ** 0.5,
        **{f"delta{power}": 100 * mean(worse < 1.25**power) for power in (1, 2, 3)},
        "density": 100.0 * ratio.size / max(1, int(known.sum())),
        "pixels": int(ratio.size),
    }


def confusion(predicted: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    """Confusion counts int64 [classes, classes + 1], truth by row, over labelled truth.

    predicted, truth: uint8 [H, W] class ids. The last column counts predictions outside 0..classes-1
    (unlabelled), which are wrong for their true class.
    """
    known = (truth != UNLABELLED) & (truth < classes)
    column = np.minimum(predicted[known].astype(np.int64), classes)
    index = truth[known].astype(np.int64) * (classes + 1) + column
    return np.bincount(index, minlength=classes * (classes + 1)).reshape(classes, classes + 1)


def class_iou(matrix: np.ndarray) -> np.ndarray:
    """Intersection over union (per cent) of each class of a `confusion` matrix, float64 [classes].

    NaN for classes without a true pixel: what is wrongly called one of them counts against its true class.
    """
    inter = np.diag(matrix)
    union = matrix[:, : len(inter)].sum(0) + matrix.sum(1) - inter
    return np.where(matrix.sum(1) > 0, 100 * inter / np.maximum(union, 1), np.nan)


def mean_iou(matrix: np.ndarray) -> float:
    """Mean of `class_iou` (per cent) over the classes that occur in the truth; NaN when none does.

    A class outside the truth's own list would else cost a whole class by a single pixel.
    """
    iou = class_iou(matrix)
    return float(np.nanmean(iou)) if np.isfinite(iou).any() else float("nan")


def garg_crop(height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of an image on which depth is scored on KITTI's Eigen split (Garg et al., ECCV 2016)."""
    return (
        slice(int(0.40810811 * height), int(0.99189189 * height)),
        slice(int(0.03594771 * width), int(0.96405229 * width)),
    )
