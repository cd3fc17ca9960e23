# SPDX-License-Identifier: Apache-2.0
"""SceneFlow: FlyingThings3D, Monkaa and Driving. Source: Mayer et al., CVPR 2016.

The root holds frames_cleanpass/ or frames_finalpass/ and disparity/ as the archives unpack.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from depth_runtime.camera import Camera, StereoCamera
from depth_runtime.files.images import image_named, images_in, natural_order, read_rgb

from .occlusion import occluded_by_check
from .pfm import read_pfm_disparity
from .registry import check_split, register
from .sample import Sample

PASSES = ("cleanpass", "finalpass")
# Blender's 35 mm lens on the 32 mm sensor of 960 pixels, its 15 mm lens; one unit between the cameras.
_FOCAL_PX, _FOCAL_15MM_PX, _CENTER_PX, _BASELINE = 1050.0, 450.0, (479.5, 269.5), 1.0


class SceneFlow:
    """Pairs with exact disparity of both views; depth is in Blender's units."""

    def __init__(self, root: Path, folders: Iterable[Path], image_pass: str) -> None:
        if image_pass not in PASSES:
            raise ValueError(f"expected image_pass among {list(PASSES)}, got '{image_pass}'; choose one of them")
        self._frames, self._truth = root / f"frames_{image_pass}", root / "disparity"
        found = [
            path
            for folder in folders
            for path in sorted((self._frames / folder).rglob("left"), key=natural_order)
            if path.is_dir()
        ]
        if not found:
            raise ValueError(f"expected folders left/ below {self._frames}, got none; unpack the archive there")
        self._lefts = [path for folder in found for path in images_in(folder)]

    def __len__(self) -> int:
        return len(self._lefts)

    def __getitem__(self, index: int) -> Sample:
        path = self._lefts[index]
        folder = path.relative_to(self._frames).parent.parent
        left_px, right_px = (
            read_pfm_disparity(self._truth / folder / side / f"{path.stem}.pfm") for side in ("left", "right")
        )
        focal_px = _FOCAL_15MM_PX if "15mm_focallength" in folder.parts else _FOCAL_PX
        return Sample(
            left=read_rgb(path),
            right=read_rgb(image_named(self._frames / folder / "right" / path.stem)),
            disparity_px=left_px,
            right_disparity_px=right_px,
            occluded=occluded_by_check(left_px, right_px),
            camera=StereoCamera.of(Camera(focal_px, focal_px, *_CENTER_PX), _CENTER_PX[0], _BASELINE),
            name=f"{folder.as_posix()}/{path.stem}",
        )


@register("flyingthings3d")
def flying_things(root: Path, split: str = "train", image_pass: str = "finalpass") -> SceneFlow:
    """FlyingThings3D: folders TRAIN/A/0000/left ... and TEST/..."""
    return SceneFlow(root, [Path(check_split(split, ("train", "test")).upper())], image_pass)


@register("monkaa")
def monkaa(root: Path, split: str = "train", image_pass: str = "finalpass") -> SceneFlow:
    """Monkaa: folders SCENE/left."""
    check_split(split, ("train",))
    return SceneFlow(root, [Path()], image_pass)


@register("driving")
def driving(root: Path, split: str = "train", image_pass: str = "finalpass") -> SceneFlow:
    """Driving: folders 15mm_focallength/scene_forwards/fast/left and the like."""
    check_split(split, ("train",))
    return SceneFlow(root, [Path("15mm_focallength"), Path("35mm_focallength")], image_pass)
