# SPDX-License-Identifier: Apache-2.0
"""Virtual KITTI 2: rendered drives with depth, classes, instances and poses. Source: Cabon et al., arXiv 2001.10773."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from depth_runtime.camera import StereoCamera
from depth_runtime.files.images import images_in, read_integers, read_rgb
from depth_runtime.files.reading import read_text

from .indexed_png import read_indices
from .label_maps import VIRTUAL_KITTI, by_colour
from .occlusion import occluded_by_check
from .registry import check_split, register
from .sample import Sample

_FARTHEST = 65535  # centimetres; the sky and everything beyond
SCENES = ("Scene01", "Scene02", "Scene06", "Scene18", "Scene20")


@register("virtual-kitti2")
class VirtualKitti2:
    """Root with SceneNN/VARIATION/..., all archives unpacked into it or each into its vkitti_2.0.3_KIND folder.

    split: all, train (all scenes but the last) or val (Scene20). variations: clone, fog, rain, 15-deg-left, ...
    Maps whose archive is not there are None; right and its truth need Camera_1.
    """

    def __init__(
        self, root: Path, split: str = "all", variations: Iterable[str] = ("clone",), neighbours: bool = False
    ) -> None:
        check_split(split, ("all", "train", "val"))
        self._root, self._frames = root, []
        scenes = {"all": SCENES, "train": SCENES[:-1], "val": SCENES[-1:]}[split]
        for drive in (f"{scene}/{variation}" for scene in scenes for variation in variations):
            folder = self._archive("rgb") / drive / "frames" / "rgb" / "Camera_0"
            if folder.is_dir():
                lefts = images_in(folder)
                triples = zip(lefts[1:], lefts, lefts[2:], strict=False) if neighbours else ((p,) for p in lefts)
                self._frames += [(drive, paths) for paths in triples]
        if not self._frames:
            raise ValueError(f"expected one of {scenes} with one of {variations} in {root}, got none; unpack it there")

    def _archive(self, kind: str) -> Path:
        own = self._root / f"vkitti_2.0.3_{kind}"
        return own if own.is_dir() else self._root

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Sample:
        drive, (left, *neighbours) = self._frames[index]
        number = left.stem.removeprefix("rgb_")
        camera, pose = _camera(self._archive("textgt") / drive, int(number))

        def file(kind: str, name: str, camera: int = 0) -> Path | None:
            folder = self._archive(kind) / drive / "frames" / kind / f"Camera_{camera}"
            return folder / name if folder.is_dir() else None

        bf = camera.fx * camera.baseline_m
        depths = [_depth(file("depth", f"depth_{number}.png", camera)) for camera in (0, 1)]
        left_px, right_px = (None if depth is None else np.float32(bf) / depth for depth in depths)
        both = left_px is not None and right_px is not None
        right = file("rgb", left.name, 1)
        semantic = file("classSegmentation", f"classgt_{number}.png")
        instance = file("instanceSegmentation", f"instancegt_{number}.png")
        return Sample(
            left=read_rgb(left),
            right=read_rgb(right) if right else None,
            disparity_px=left_px if right else None,
            right_disparity_px=right_px if right else None,
            occluded=occluded_by_check(left_px, right_px) if right and both else None,
            depth_m=depths[0],
            semantic=by_colour(read_rgb(semantic), VIRTUAL_KITTI) if semantic else None,
            # Index = number of the vehicle's track + 1, 0 elsewhere.
            instance=read_indices(instance).astype(np.uint16) if instance else None,
            neighbours=tuple(read_rgb(path) for path in neighbours),
            name=f"{drive}/{number}",
            camera=camera,
            pose=pose,
        )


def _depth(path: Path | None) -> np.ndarray | None:
    """uint16 centimetres as float32 [H, W] metres, NaN where as far as the file can tell."""
    if path is None:
        return None
    stored = read_integers(path, np.uint16)
    return np.where(stored < _FARTHEST, stored / np.float32(100), np.float32(np.nan))


def _camera(folder: Path, number: int) -> tuple[StereoCamera, np.ndarray]:
    """Camera and pose of one frame."""
    inside = _table(folder / "intrinsic.txt", 4)
    outside = _table(folder / "extrinsic.txt", 16)
    try:
        fx, fy, cx, cy = inside[number, 0]
        left, right = (np.array(outside[number, camera]).reshape(4, 4) for camera in (0, 1))
    except KeyError as error:
        raise ValueError(f"expected frame and camera {error} in {folder}/intrinsic.txt and extrinsic.txt") from error
    # The files map world to camera; both cameras look the same way.
    baseline_m = float(left[0, 3] - right[0, 3])
    return StereoCamera(fx, fy, cx, cx, cy, baseline_m), np.linalg.inv(left)


@lru_cache(maxsize=64)
def _table(path: Path, columns: int) -> dict[tuple[int, int], tuple[float, ...]]:
    """(frame, camera) -> numbers of a text whose first line names the columns."""
    rows = {}
    for line in read_text(path).splitlines()[1:]:
        words = line.split()
        try:
            frame, camera, *numbers = int(words[0]), int(words[1]), *map(float, words[2:])
        except (IndexError, ValueError) as error:
            raise ValueError(f"expected frame, camera and numbers in {path}, got '{line}'; copy it again") from error
        if len(numbers) != columns:
            raise ValueError(f"expected {columns} numbers after frame and camera in {path}, got '{line}'")
        rows[frame, camera] = tuple(numbers)
    return rows
