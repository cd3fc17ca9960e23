# SPDX-License-Identifier: Apache-2.0
"""What a method of `evaluate` is: one call from a rectified pair to its prediction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """Dense disparity_px float32 [H, W]; the others are None where a method has none or was not asked.

    confidence: float32 [H, W] 0..1; semantic: uint8 [H, W] ids of depth_models.LABELS; instance: uint16 [H, W], 0 =
    stuff. parts: further rows of the table, each a mask of the pixels it keeps.
    """

    disparity_px: np.ndarray
    confidence: np.ndarray | None = None
    semantic: np.ndarray | None = None
    instance: np.ndarray | None = None
    parts: dict[str, np.ndarray] = field(default_factory=dict)


class Method(Protocol):
    """Predicts for rectified pairs uint8 [H, W, 3] RGB.

    maps: which of "semantic" and "instance" it can give, when asked, besides disparity. One with `needs_segmentation`
    is given the segmentation image of the left view as a fourth argument.
    """

    maps: frozenset[str]

    def __call__(self, left: np.ndarray, right: np.ndarray, maps: Collection[str] = ()) -> Prediction: ...
