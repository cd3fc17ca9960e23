# SPDX-License-Identifier: Apache-2.0
"""Rectified pairs with true disparity, listed in a CSV file."""

from __future__ import annotations

import csv
from pathlib import Path

from depth_runtime.camera import Camera, StereoCamera
from depth_runtime.files.disparity_png import read_disparity
from depth_runtime.files.images import read_rgb_together
from depth_runtime.files.reading import read_text

from .registry import register
from .sample import Sample

COLUMNS = ("dataset", "id", "left", "right", "disparity")
ALL = "all"


def _rows(path: Path) -> list[dict[str, str]]:
    """The rows of a list, by column."""
    reader = csv.DictReader(read_text(path).splitlines())
    rows = []
    for row in reader:
        if None in row or None in row.values():
            got = sum(value is not None for key, value in row.items() if key) + len(row.get(None, ()))
            raise ValueError(
                f"expected {len(reader.fieldnames)} values in line {reader.line_num} of {path} "
                f"({', '.join(reader.fieldnames)}), got {got}; complete the row, or quote a value that holds a comma"
            )
        rows.append(row)
    return rows


@register("csv")
class ListedPairs:
    """Pairs of a CSV file with the columns COLUMNS and maybe others; root is the file, paths are relative to it.

    disparity is a uint16 PNG / 256, 0 = unknown. The columns focal_px, baseline_m and disparity_shift_px (cx_left -
    cx_right), where they stand and are filled, make depth known. split: "all", or a value of the column dataset.
    Raises ValueError when a column is missing, the list is empty, or a row has more or fewer values than columns.
    """

    def __init__(self, root: Path, split: str = ALL) -> None:
        rows = _rows(root)
        missing = sorted(set(COLUMNS) - set(rows[0])) if rows else list(COLUMNS)
        if missing:
            raise ValueError(
                f"expected rows with the columns {list(COLUMNS)}, with commas between, in {root}, "
                f"got none of {missing}; add them"
            )
        self.names = list(dict.fromkeys(row["dataset"] for row in rows))
        if split not in (ALL, *self.names):
            raise ValueError(f"expected a split among {[ALL, *self.names]}, got '{split}'; choose one of them")
        self._path = root
        self._rows = [row for row in rows if split in (ALL, row["dataset"])]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Sample:
        row, folder = self._rows[index], self._path.parent
        left, right = read_rgb_together(folder / row["left"], folder / row["right"])
        return Sample(
            left=left,
            right=right,
            disparity_px=read_disparity(folder / row["disparity"]),
            name=f"{row['dataset']}/{row['id']}",
            camera=self._camera(row, *left.shape[:2]),
        )

    def _camera(self, row: dict[str, str], height: int, width: int) -> StereoCamera | None:
        """The row's camera. The list tells no principal point; the image's middle is taken."""
        if not row.get("focal_px") or not row.get("baseline_m"):
            return None
        try:
            focal_px, baseline_m = float(row["focal_px"]), float(row["baseline_m"])
            shift_px = float(row.get("disparity_shift_px") or 0)
            left = Camera(focal_px, focal_px, (width - 1) / 2, (height - 1) / 2, (height, width))
            return StereoCamera.of(left, left.cx - shift_px, baseline_m)
        except ValueError as error:
            raise ValueError(f"expected numbers for the camera of '{row['id']}' in {self._path}: {error}") from error
