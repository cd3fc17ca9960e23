# SPDX-License-Identifier: Apache-2.0
"""Rectified pairs on disk, with true disparity where there is any: a plain sequence folder or a CSV list."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from depth_runtime.files.disparity_png import read_disparity
from depth_runtime.files.images import read_rgb_together
from depth_runtime.files.sequence_folder import read_frames

PAIR = ("left", "right")  # what a pair gives, as inputs of a network


@dataclass(frozen=True)
class PairFiles:
    """One rectified pair; files are read when asked for."""

    name: str
    left_path: Path
    right_path: Path
    disparity_path: Path | None

    def images(self) -> dict[str, np.ndarray]:
        """The images of PAIR by name, uint8 [H, W, 3] RGB. Raises ValueError when a file is no image."""
        return dict(zip(PAIR, read_rgb_together(self.left_path, self.right_path), strict=True))

    def truth_px(self, max_disparity_px: float) -> np.ndarray:
        """True disparity of the left view, float32 [H, W] pixels; 0 where unknown or above the maximum."""
        if self.disparity_path is None:
            raise ValueError(f"expected a true disparity for {self.name}, got none; give pairs with truth")
        truth = read_disparity(self.disparity_path)
        return np.where(truth <= max_disparity_px, truth, np.float32(0))


def read_pairs(source: Path) -> list[PairFiles]:
    """Pairs of a folder (left/, right/, perhaps disparity/) or of a CSV file (left, right, perhaps disparity).

    Paths in a CSV file are relative to it. Raises ValueError when there is no pair, or a left image lacks its right.
    """
    pairs = _of_folder(source) if source.is_dir() else _of_list(source)
    if not pairs:
        raise ValueError(f"expected left/ and right/ images or a CSV list at {source}, got no pair; check the path")
    missing = [pair.right_path for pair in pairs if not pair.right_path.is_file()]
    if missing:
        raise ValueError(f"expected a right image for each left one, got none at {missing[0]}; complete the pairs")
    return pairs


def spread(pairs: list[PairFiles], count: int) -> list[PairFiles]:
    """At most count pairs, evenly from the whole list."""
    if len(pairs) <= count:
        return pairs
    return [pairs[int(i)] for i in np.linspace(0, len(pairs) - 1, count)]


def digest(pairs: list[PairFiles]) -> str:
    """SHA-256 of the image bytes of all pairs, in order."""
    total = hashlib.sha256()
    for pair in pairs:
        for path in (pair.left_path, pair.right_path):
            total.update(path.read_bytes())
    return total.hexdigest()


def _of_folder(folder: Path) -> list[PairFiles]:
    if not (folder / "right").is_dir():
        raise ValueError(f"expected left/ and right/ images or a CSV list at {folder}, got no pair; check the path")
    frames = read_frames(folder, partial=("disparity",))
    return [PairFiles(frame.left.stem, frame.left, frame.right, frame.maps.get("disparity")) for frame in frames]


def _of_list(path: Path) -> list[PairFiles]:
    if not path.is_file():
        raise ValueError(f"expected a folder of pairs or a CSV list, got nothing at {path}; check the path")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    missing = sorted({"left", "right"} - set(rows[0] if rows else ()))
    if missing:
        raise ValueError(f"expected rows with the columns left and right in {path}, got none of {missing}; add them")
    root = path.parent
    return [
        PairFiles(
            row["left"], root / row["left"], root / row["right"], root / d if (d := row.get("disparity")) else None
        )
        for row in rows
    ]
