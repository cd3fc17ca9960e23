# SPDX-License-Identifier: Apache-2.0
"""Labelled single frames for panoptic training: CamVid and plain sequence folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from depth_runtime.spec import UNLABELLED

# CamVid ids 0..11: sky, building, pole, road, pavement, tree, sign, fence, car, pedestrian, cyclist, unlabelled.
_OWN_ID_OF_CAMVID = np.array([7, 2, 3, 0, 1, 4, 3, 3, 5, 6, 6, UNLABELLED], np.uint8)
_IMAGE_SUFFIXES = (".webp", ".png", ".jpg")


@dataclass(frozen=True)
class LabelledFrame:
    """image uint8 [H, W, 3] RGB; semantic uint8 [H, W] ids, 255 unlabelled; instance uint16 [H, W], 0 = stuff.

    instance is None where the source tells classes but not which thing is which.
    """

    image: np.ndarray
    semantic: np.ndarray
    instance: np.ndarray | None = None


class CamVid:
    """Folder of `NAME.webp` and `NAME_semantic.png` (12 CamVid ids), mapped to our labels."""

    def __init__(self, folder: str | Path) -> None:
        self._labels = sorted(Path(folder).glob("*_semantic.png"))
        if not self._labels:
            raise ValueError(f"expected NAME_semantic.png files in {folder}, got none; check the folder")

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> LabelledFrame:
        path = self._labels[index]
        image = _read_rgb(path.with_name(path.name.replace("_semantic.png", "")))
        return LabelledFrame(image, own_ids(_read(path)))


class SequenceFrames:
    """Left frames of a plain sequence folder: left/NAME, semantic/NAME.png and instance/NAME.png."""

    def __init__(self, folder: str | Path) -> None:
        self._labels = sorted((Path(folder) / "semantic").glob("*.png"))
        if not self._labels:
            raise ValueError(f"expected semantic/*.png in {folder}, got none; render the sequence with labels")

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> LabelledFrame:
        path = self._labels[index]
        root = path.parent.parent
        instance = _read(root / "instance" / path.name).astype(np.uint16)
        return LabelledFrame(_read_rgb(root / "left" / path.stem), _read(path), instance)


def own_ids(camvid: np.ndarray) -> np.ndarray:
    """CamVid ids uint8 [H, W] as ids of depth_models.LABELS; ids that CamVid does not define become 255."""
    table = np.full(256, UNLABELLED, np.uint8)
    table[: len(_OWN_ID_OF_CAMVID)] = _OWN_ID_OF_CAMVID
    return table[camvid]


def _read_rgb(stem: Path) -> np.ndarray:
    for suffix in _IMAGE_SUFFIXES:
        path = stem.with_name(stem.name + suffix)
        if path.is_file():
            return cv2.cvtColor(_read(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    raise ValueError(f"expected an image {stem}{{{','.join(_IMAGE_SUFFIXES)}}}, got none; check the folder")


def _read(path: Path, mode: int = cv2.IMREAD_UNCHANGED) -> np.ndarray:
    pixels = cv2.imread(str(path), mode)
    if pixels is None:
        raise ValueError(f"expected a readable image, got none at {path}; copy it again")
    return pixels
