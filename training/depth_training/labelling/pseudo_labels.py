# SPDX-License-Identifier: Apache-2.0
"""Pseudo labels: disparities of a pair without truth that stereo methods agree on, from both eyes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from depth_models.labels import SKY

from ..evaluation.method import Method

OUTSIDE = -1e6  # far from any disparity, and finite, since a weight of 0 has to cancel it


def pseudo_labels(
    left: np.ndarray, right: np.ndarray, teachers: Sequence[Method], tolerance_px: float = 1.0
) -> np.ndarray:
    """What the first teacher predicts where it can be trusted, NaN elsewhere.

    left, right: uint8 [H, W, 3] RGB, rectified -> float32 [H, W] px. A pixel counts when every teacher finds the same
    disparity from the right eye (see `consistent`), and all teachers agree within the larger of tolerance_px and 3 %.
    """
    known = np.ones(left.shape[:2], bool)
    pair = {"left": left, "right": right}
    first: np.ndarray | None = None
    for teacher in teachers:
        disparity_px = teacher(pair).disparity_px
        known &= consistent(disparity_px, prediction_of_right_eye(teacher, left, right), tolerance_px)
        first = disparity_px if first is None else first
        known &= _close(disparity_px, first, tolerance_px)
    return np.where(known, first, np.float32(np.nan))


def without_sky(labels_px: np.ndarray, left: np.ndarray, right: np.ndarray, classes: Method) -> np.ndarray:
    """The labels without what `classes` calls sky, where matching says nothing.

    Raises ValueError for a method that knows no classes of depth_models.LABELS.
    """
    if "semantic" not in classes.maps:
        raise ValueError("expected a method that knows our classes, got one without; choose a zoo network")
    semantic = classes({"left": left, "right": right}, {"semantic"}).semantic
    return np.where(semantic == SKY, np.float32(np.nan), labels_px)


def prediction_of_right_eye(teacher: Method, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Disparity of the right view, float32 [H, W] px: mirrored, it is the left view of a pair."""
    eyes = {"left": right, "right": left}
    mirrored = {name: np.ascontiguousarray(image[:, ::-1]) for name, image in eyes.items()}
    return np.ascontiguousarray(teacher(mirrored).disparity_px[:, ::-1])


def consistent(left_px: np.ndarray, right_px: np.ndarray, tolerance_px: float) -> np.ndarray:
    """Left-right check of the disparities of both views, float32 [H, W]: bool [H, W].

    True where the right view, at the place where a pixel of the left one is seen, says the same within the larger
    of tolerance_px and 3 %; False where that place is outside.
    """
    height, width = left_px.shape
    rows, columns = np.indices((height, width), np.float32)
    there = cv2.remap(right_px, columns - left_px, rows, cv2.INTER_LINEAR, borderValue=OUTSIDE)
    return _close(there, left_px, tolerance_px)


def _close(one_px: np.ndarray, other_px: np.ndarray, tolerance_px: float) -> np.ndarray:
    return np.abs(one_px - other_px) <= np.maximum(tolerance_px, 0.03 * other_px)
