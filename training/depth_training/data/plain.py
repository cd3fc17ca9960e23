# SPDX-License-Identifier: Apache-2.0
"""Plain sequence folders."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
from depth_models.labels import LABELS
from depth_runtime.spec import UNLABELLED

from .files import image_named, images_in, read_integers, read_rgb, read_scaled, read_text
from .registry import register
from .sample import Sample

log = logging.getLogger(__name__)


@register("plain")
class PlainFolder:
    """A sequence folder as `depth_training render` and docs/bags.md describe it, or a folder of such folders.

    Needs left/; right/, disparity/, semantic/, instance/, regions/, calibration.json are taken where they are.
    regions/ may hold some of the views only, since `sam-masks` takes long.
    With `neighbours` samples carry the previous and next left image, and each sequence loses its two end frames.
    stereo: False leaves right and disparity out. Where labels.json stands, its classes become ours by their names.
    """

    def __init__(self, root: Path, split: str = "train", stereo: bool = True, neighbours: bool = False) -> None:
        self._stereo = stereo
        root = root / split if (root / split).is_dir() else root
        folders = [root] if (root / "left").is_dir() else sorted(p.parent for p in root.glob("*/left"))
        if not folders:
            raise ValueError(f"expected a folder left/ in {root} or in its folders, got none; check the folder")
        self._frames: list[tuple[Path, ...]] = []
        for folder in folders:
            lefts = images_in(folder / "left")
            self._frames += zip(lefts[1:], lefts, lefts[2:], strict=False) if neighbours else [(p,) for p in lefts]
        self._calibrations = {folder: _calibration(folder / "calibration.json") for folder in folders}
        self._ids = {folder: _own_ids(folder / "labels.json") for folder in folders}

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Sample:
        path, *neighbours = self._frames[index]
        folder = path.parent.parent
        maps: dict[str, Any] = {}
        if self._stereo and (folder / "right").is_dir():
            maps["right"] = read_rgb(image_named(folder / "right" / path.stem))
        if self._stereo and (folder / "disparity").is_dir():
            maps["disparity_px"] = read_scaled(folder / "disparity" / f"{path.stem}.png")
        regions = folder / "regions" / f"{path.stem}.png"
        if regions.is_file():  # a folder may be filled while it is in use
            maps["regions"] = read_rgb(regions)
        for name, dtype in (("semantic", np.uint8), ("instance", np.uint16)):
            if (folder / name).is_dir():
                maps[name] = read_integers(folder / name / f"{path.stem}.png", dtype)
        if "semantic" in maps:
            maps["semantic"] = self._ids[folder][maps["semantic"]]
        return Sample(
            left=read_rgb(path),
            neighbours=tuple(read_rgb(p) for p in neighbours),
            name=f"{folder.name}/{path.stem}",
            **maps,
            **self._calibrations[folder],
        )


def _calibration(path: Path) -> dict[str, Any]:
    """Calibration fields of Sample; none where the folder has no such file."""
    if not path.is_file():
        return {}
    try:
        numbers = json.loads(read_text(path))
        return {
            "intrinsics": tuple(float(numbers[key]) for key in ("fx", "fy", "cx_left", "cy")),
            "baseline_m": float(numbers["baseline_m"]),
            "disparity_shift_px": float(numbers["cx_left"]) - float(numbers["cx_right"]),
        }
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"expected JSON with fx, fy, cx_left, cx_right, cy, baseline_m in {path}, got {error!r}; write it so"
        ) from error


def _own_ids(path: Path) -> np.ndarray:
    """uint8 [256]: our id of each stored one, 255 for names that we do not have; the ids themselves without a file."""
    if not path.is_file():
        return np.arange(256, dtype=np.uint8)
    ours = {label.name: label.id for label in LABELS}
    try:
        theirs = {int(entry["id"]): str(entry["name"]) for entry in json.loads(read_text(path))}
        if not all(0 <= number < 256 for number in theirs):
            raise ValueError(f"ids {sorted(theirs)}")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"expected a JSON list of id 0..255 and name in {path}, got {error!r}; write it so") from error
    table = np.full(256, UNLABELLED, np.uint8)
    table[list(theirs)] = [ours.get(name, UNLABELLED) for name in theirs.values()]
    unknown = sorted(set(theirs.values()) - set(ours))
    if unknown:
        log.warning("classes of %s that are not among %s count as unlabelled: %s", path, list(ours), unknown)
    return table
