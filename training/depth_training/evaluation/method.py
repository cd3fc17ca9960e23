# SPDX-License-Identifier: Apache-2.0
"""What a method of `evaluate` is: one call from the images of a frame to its prediction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

IMAGES = ("left", "right", "regions")  # what a Sample may hold, by the names of a network's inputs


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
    """Predicts for rectified images uint8 [H, W, 3] RGB, which come by name.

    inputs: names of those that it looks at, among depth_runtime.spec.INPUTS. maps: which of "semantic" and "instance"
    it can give, when asked, besides disparity.
    """

    inputs: tuple[str, ...]
    maps: frozenset[str]

    def __call__(self, images: Mapping[str, np.ndarray], maps: Collection[str] = ()) -> Prediction: ...
