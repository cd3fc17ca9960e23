# SPDX-License-Identifier: Apache-2.0
"""Plain sequence folders."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from depth_models.labels import LABELS
from depth_runtime.files.disparity_png import read_disparity
from depth_runtime.files.images import natural_order, read_integers, read_rgb, read_rgb_together
from depth_runtime.files.sequence_folder import SequenceFrame, read_calibration, read_frames, read_labels
from depth_runtime.spec import UNLABELLED

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
        inside = sorted((path.parent for path in root.glob("*/left")), key=natural_order)
        folders = [root] if (root / "left").is_dir() else inside
        if not folders:
            raise ValueError(f"expected a folder left/ in {root} or in its folders, got none; check the folder")
        self._frames: list[tuple[SequenceFrame, ...]] = []
        for folder in folders:
            frames = read_frames(folder)
            self._frames += zip(frames[1:], frames, frames[2:], strict=False) if neighbours else [(f,) for f in frames]
        self._cameras = {folder: read_calibration(folder) for folder in folders}
        self._ids = {folder: _own_ids(folder) for folder in folders}

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Sample:
        files, *neighbours = self._frames[index]
        path, folder = files.left, files.left.parent.parent
        maps: dict[str, Any] = {}
        right = [files.right] if self._stereo and files.right else []
        left, *others = read_rgb_together(path, *right, *(other.left for other in neighbours))
        if right:
            maps["right"] = others.pop(0)
        if self._stereo and "disparity" in files.maps:
            maps["disparity_px"] = read_disparity(files.maps["disparity"])
        regions = folder / "regions" / f"{path.stem}.png"
        if regions.is_file():  # a folder may be filled while it is in use
            maps["regions"] = read_rgb(regions)
        for name, dtype in (("semantic", np.uint8), ("instance", np.uint16)):
            if name in files.maps:
                maps[name] = read_integers(files.maps[name], dtype)
        if "semantic" in maps:
            maps["semantic"] = self._ids[folder][maps["semantic"]]
        return Sample(
            left=left,
            neighbours=tuple(others),
            name=f"{folder.name}/{path.stem}",
            camera=self._cameras[folder],
            **maps,
        )


def _own_ids(folder: Path) -> np.ndarray:
    """uint8 [256]: our id of each stored one, 255 for names that we do not have; the ids themselves without a file."""
    labels = read_labels(folder)
    if labels is None:
        return np.arange(256, dtype=np.uint8)
    ours = {label.name: label.id for label in LABELS}
    theirs = {int(entry["id"]): str(entry["name"]) for entry in labels}
    table = np.full(256, UNLABELLED, np.uint8)
    table[list(theirs)] = [ours.get(name, UNLABELLED) for name in theirs.values()]
    unknown = sorted(set(theirs.values()) - set(ours))
    if unknown:
        log.warning("classes of %s that are not among %s count as unlabelled: %s", folder, list(ours), unknown)
    return table
