# SPDX-License-Identifier: Apache-2.0
"""Middlebury 2014 and v3, and ETH3D's two-view set, which took over Middlebury's files.

Sources: Scharstein et al., GCPR 2014; Schoeps et al., CVPR 2017.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from depth_runtime.files.images import read_integers, read_rgb

from .calibration import middlebury_pair
from .pfm import read_pfm_disparity
from .registry import check_split, register
from .sample import Sample

_TRUTH = ("disp0GT.pfm", "disp0.pfm")
_OCCLUDED = 128  # of mask0nocc.png; 255 = seen by both, 0 = no truth


class MiddleburyScenes:
    """Scene folders with im0.png, im1.png and calib.txt; the truth (if any) beside them or under `truth_root`."""

    def __init__(self, root: Path, truth_root: Path, right: str) -> None:
        self._root, self._truth_root, self._right = root, truth_root, right
        self._scenes = sorted(path.parent for path in root.rglob("im0.png"))
        if not self._scenes:
            raise ValueError(f"expected folders with im0.png below {root}, got none; unpack the archive there")

    def __len__(self) -> int:
        return len(self._scenes)

    def __getitem__(self, index: int) -> Sample:
        scene = self._scenes[index]
        name = scene.relative_to(self._root).as_posix()
        truth = self._truth_root / name
        disparity = next((truth / file for file in _TRUTH if (truth / file).is_file()), None)
        mask, other = truth / "mask0nocc.png", truth / "disp1.pfm"
        return Sample(
            left=read_rgb(scene / "im0.png"),
            right=read_rgb(scene / f"{self._right}.png"),
            disparity_px=read_pfm_disparity(disparity) if disparity else None,
            right_disparity_px=read_pfm_disparity(other) if other.is_file() else None,
            occluded=read_integers(mask, np.uint8) == _OCCLUDED if mask.is_file() else None,
            name=name,
            camera=middlebury_pair(scene / "calib.txt"),
        )


@register("middlebury2014")
def middlebury_2014(root: Path, split: str = "train", right: str = "im1") -> MiddleburyScenes:
    """Folders SCENE-perfect or SCENE-imperfect; right: im1, or im1E and im1L of another exposure or light."""
    check_split(split, ("train",))
    return MiddleburyScenes(root, root, right)


@register("middlebury-v3")
def middlebury_v3(root: Path, split: str = "train", size: str = "H") -> MiddleburyScenes:
    """MiddEval3: folders trainingF, trainingH, trainingQ (size F, H, Q) and test.. of the same."""
    prefix = {"train": "training", "test": "test"}[check_split(split, ("train", "test"))]
    folder = root / f"{prefix}{check_split(size, ('F', 'H', 'Q'))}"
    return MiddleburyScenes(folder, folder, "im1")


@register("eth3d")
def eth3d(root: Path, split: str = "train") -> MiddleburyScenes:
    """Two-view set: two_view_training/ with its truth in two_view_training_gt/ (or beside it), two_view_test/."""
    folder = root / {"train": "two_view_training", "test": "two_view_test"}[check_split(split, ("train", "test"))]
    truth = root / "two_view_training_gt"
    return MiddleburyScenes(folder, truth if split == "train" and truth.is_dir() else folder, "im1")
