# SPDX-License-Identifier: Apache-2.0
"""Disparity as a 16-bit grey PNG: pixels * 256, 0 = none. Format: KITTI's development kit."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .images import read_integers, write_png

STEPS_PER_PX = 256
MAX_PX = (2**16 - 1) / STEPS_PER_PX


def stored(disparity_px: np.ndarray) -> np.ndarray:
    """uint16 [H, W] of a map of pixels; 0 where it is not finite, rounds to 0 or below, or is above MAX_PX."""
    steps = np.nan_to_num(np.round(disparity_px * STEPS_PER_PX), nan=0.0, posinf=0.0, neginf=0.0)
    return np.where((steps > 0) & (steps < 2**16), steps, 0).astype(np.uint16)


def disparity_of(stored: np.ndarray, steps_per_px: float = STEPS_PER_PX) -> np.ndarray:
    """float32 [H, W] pixels of stored uint16, NaN where 0."""
    return np.where(stored > 0, stored / np.float32(steps_per_px), np.float32(np.nan))


def read_disparity(path: Path, steps_per_px: float = STEPS_PER_PX) -> np.ndarray:
    """float32 [H, W] pixels, NaN = none. Raises ValueError naming the path for other files than 16-bit grey ones."""
    return disparity_of(read_integers(path, np.uint16), steps_per_px)


def write_disparity(path: Path, disparity_px: np.ndarray, compression: int | None = None) -> None:
    """Write a map in one step; what `stored` cannot hold becomes none."""
    write_png(path, stored(disparity_px), compression)
