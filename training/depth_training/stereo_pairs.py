# SPDX-License-Identifier: Apache-2.0
"""Rectified pairs with true disparity, listed in a CSV file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

COLUMNS = ("dataset", "id", "left", "right", "disparity")
DISPARITY_SCALE = 256.0


@dataclass(frozen=True)
class StereoPair:
    """One row of the list; images are read when asked for."""

    dataset: str
    id: str
    left_path: Path
    right_path: Path
    disparity_path: Path

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """Left and right, uint8 [H, W, 3] RGB."""
        left, right = (_read(p, cv2.IMREAD_COLOR) for p in (self.left_path, self.right_path))
        return cv2.cvtColor(left, cv2.COLOR_BGR2RGB), cv2.cvtColor(right, cv2.COLOR_BGR2RGB)

    def truth_px(self, max_disparity_px: float = float("inf")) -> np.ndarray:
        """True disparity of the left view, float32 [H, W] pixels; 0 where unknown or above the maximum."""
        truth = _read(self.disparity_path, cv2.IMREAD_UNCHANGED).astype(np.float32) / DISPARITY_SCALE
        return np.where(truth <= max_disparity_px, truth, np.float32(0))


def read_pairs(path: str | Path) -> list[StereoPair]:
    """Pairs of a CSV file with the columns COLUMNS (more may follow); paths are relative to the file.

    Raises ValueError when a column is missing or the list is empty.
    """
    path = Path(path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    missing = sorted(set(COLUMNS) - set(rows[0])) if rows else list(COLUMNS)
    if missing:
        raise ValueError(f"expected rows with the columns {list(COLUMNS)} in {path}, got none of {missing}; see --help")
    root = path.parent
    return [
        StereoPair(row["dataset"], row["id"], *(root / row[column] for column in ("left", "right", "disparity")))
        for row in rows
    ]


def _read(path: Path, mode: int) -> np.ndarray:
    pixels = cv2.imread(str(path), mode)
    if pixels is None:
        raise ValueError(f"expected a readable image, got none at {path}; check the list's paths")
    return pixels
