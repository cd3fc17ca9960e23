# SPDX-License-Identifier: Apache-2.0
"""KITTI stereo 2012 and 2015: pairs with sparse lidar truth, in 2015 with classes.

Sources: Geiger et al., CVPR 2012; Menze & Geiger, CVPR 2015; Alhaija et al., IJCV 2018 (classes).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from depth_runtime.camera import StereoCamera
from depth_runtime.files.disparity_png import read_disparity
from depth_runtime.files.images import images_in, read_integers, read_rgb
from depth_runtime.files.kitti_calibration import matrix, read_numbers

from .calibration import stereo_pair
from .label_maps import CITYSCAPES, IS_THING, by_id
from .registry import check_split, register
from .sample import Sample


class EditionFolders(NamedTuple):
    """Names of one edition: image folders, truth folders, calibration folder and its two matrices."""

    left: str
    right: str
    with_occluded: str
    without_occluded: str
    calibration: str
    matrices: tuple[str, str]


_2015 = EditionFolders("image_2", "image_3", "disp_occ_0", "disp_noc_0", "calib_cam_to_cam", ("P_rect_02", "P_rect_03"))
_2012 = EditionFolders("colored_0", "colored_1", "disp_occ", "disp_noc", "calib", ("P2", "P3"))
_2012_GREY = EditionFolders("image_0", "image_1", "disp_occ", "disp_noc", "calib", ("P0", "P1"))


class KittiStereo:
    """Frames NUMBER_10 of training/ (with truth) or testing/. `occluded` is also False where nothing is known.

    The archive of the semantic benchmark alone gives labelled frames without right view and calibration.
    """

    def __init__(self, root: Path, split: str, layout: EditionFolders) -> None:
        folder = {"train": "training", "test": "testing"}[check_split(split, ("train", "test"))]
        self._root, self._layout = root / folder, layout
        self._lefts = images_in(self._root / layout.left, "_10")

    def __len__(self) -> int:
        return len(self._lefts)

    def __getitem__(self, index: int) -> Sample:
        path, layout = self._lefts[index], self._layout
        disparity_px = occluded = None
        if (self._root / layout.with_occluded).is_dir():
            disparity_px = read_disparity(self._root / layout.with_occluded / f"{path.stem}.png")
            seen_px = read_disparity(self._root / layout.without_occluded / f"{path.stem}.png")
            occluded = np.isfinite(disparity_px) & np.isnan(seen_px)
        right, semantic = self._root / layout.right, self._root / "semantic"
        return Sample(
            left=read_rgb(path),
            right=read_rgb(right / path.name) if right.is_dir() else None,
            disparity_px=disparity_px,
            occluded=occluded,
            name=path.stem,
            **(_labels(self._root, path.name) if semantic.is_dir() else {}),
            camera=self._camera(path.stem.removesuffix("_10")),
        )

    def _camera(self, number: str) -> StereoCamera | None:
        """The pair's camera; None where the archive was not unpacked."""
        folder = self._root / self._layout.calibration
        if not folder.is_dir():
            return None
        path = folder / f"{number}.txt"
        numbers = read_numbers(path)
        return stereo_pair(*(matrix(numbers, key, (3, 4), path) for key in self._layout.matrices), path)


def _labels(root: Path, name: str) -> dict[str, np.ndarray]:
    """semantic and instance of Sample. Stored are labelIds of Cityscapes, and labelId * 256 + number, 0 = no number."""
    semantic = by_id(read_integers(root / "semantic" / name, np.uint8), CITYSCAPES)
    if not (root / "instance").is_dir():
        return {"semantic": semantic}
    stored = read_integers(root / "instance" / name, np.uint16)
    if stored.shape != semantic.shape:
        raise ValueError(f"expected {root / 'instance' / name} of size {semantic.shape}, got {stored.shape}; copy it")
    numbered = (stored % 256 > 0) & IS_THING[semantic]  # buildings have numbers too
    return {"semantic": semantic, "instance": np.where(numbered, stored, np.uint16(0))}


@register("kitti2015")
def kitti_2015(root: Path, split: str = "train") -> KittiStereo:
    """Scene flow benchmark of 2015, with the archive of the semantic benchmark where it was unpacked beside."""
    return KittiStereo(root, split, _2015)


@register("kitti2012")
def kitti_2012(root: Path, split: str = "train", grey: bool = False) -> KittiStereo:
    """Stereo benchmark of 2012: root with training/ and testing/; grey: the grey cameras instead of the colour ones."""
    return KittiStereo(root, split, _2012_GREY if grey else _2012)
