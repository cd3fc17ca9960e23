# SPDX-License-Identifier: Apache-2.0
"""Cityscapes: street pairs with fine labels and SGM disparity. Source: Cordts et al., CVPR 2016."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from depth_runtime.camera import CalibrationError, Camera, StereoCamera
from depth_runtime.files.images import is_image, natural_order, read_integers, read_rgb
from depth_runtime.files.reading import read_text

from .label_maps import CITYSCAPES, by_id
from .registry import check_split, register
from .sample import Sample

_DISPARITY_SCALE = 256.0
_FIRST_INSTANCE = 1000  # smaller values of instanceIds are stuff and groups


@register("cityscapes")
class Cityscapes:
    """Root with leftImg8bit/; rightImg8bit/, disparity/, camera/ and gtFine/ are taken where they are.

    The disparity is an estimate (SGM), not truth.
    """

    def __init__(self, root: Path, split: str = "train") -> None:
        self._root, self._split = root, check_split(split, ("train", "val", "test", "train_extra"))
        found = (root / "leftImg8bit" / split).glob("*/*_leftImg8bit.png")
        self._lefts = sorted(filter(is_image, found), key=natural_order)
        if not self._lefts:
            raise ValueError(f"expected CITY/*_leftImg8bit.png in {root / 'leftImg8bit' / split}, got none; unpack it")

    def __len__(self) -> int:
        return len(self._lefts)

    def __getitem__(self, index: int) -> Sample:
        path = self._lefts[index]
        city, frame = path.parent.name, path.name.removesuffix("_leftImg8bit.png")

        def file(kind: str, ending: str) -> Path | None:
            """The frame's file of this kind; None where that archive was not unpacked."""
            folder = self._root / kind / self._split
            return folder / city / f"{frame}_{ending}" if folder.is_dir() else None

        right, disparity = file("rightImg8bit", "rightImg8bit.png"), file("disparity", "disparity.png")
        semantic, instance = file("gtFine", "gtFine_labelIds.png"), file("gtFine", "gtFine_instanceIds.png")
        camera = file("camera", "camera.json")
        return Sample(
            left=read_rgb(path),
            right=read_rgb(right) if right else None,
            disparity_px=_disparity(disparity) if disparity else None,
            semantic=by_id(read_integers(semantic, np.uint8), CITYSCAPES) if semantic else None,
            instance=_instances(instance) if instance else None,
            name=frame,
            camera=_stereo_camera(camera) if camera else None,
        )


def _disparity(path: Path) -> np.ndarray:
    """Stored value p means (p - 1) / 256 px, 0 means unknown."""
    stored = read_integers(path, np.uint16)
    return np.where(stored > 0, (stored - np.float32(1)) / np.float32(_DISPARITY_SCALE), np.float32(np.nan))


def _instances(path: Path) -> np.ndarray:
    """Stored value class * 1000 + number for countable things; they stay distinct, everything else becomes 0."""
    stored = read_integers(path, np.uint16)
    return np.where(stored >= _FIRST_INSTANCE, stored, np.uint16(0))


def _stereo_camera(path: Path) -> StereoCamera:
    try:
        numbers = json.loads(read_text(path))
        inside = numbers["intrinsic"]
        left = Camera(*(float(inside[key]) for key in ("fx", "fy", "u0", "v0")))
        return StereoCamera.of(left, left.cx, float(numbers["extrinsic"]["baseline"]))
    except CalibrationError as error:
        raise CalibrationError(f"{path}: {error}") from error
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"expected JSON with intrinsic fx, fy, u0, v0 and extrinsic baseline in {path}, got {error!r}; copy it"
        ) from error
