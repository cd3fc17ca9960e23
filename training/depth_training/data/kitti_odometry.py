# SPDX-License-Identifier: Apache-2.0
"""KITTI odometry: driving sequences with poses. Source: Geiger et al., CVPR 2012."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from depth_runtime.files.images import images_in
from depth_runtime.files.kitti_calibration import matrix, read_numbers

from .kitti_poses import camera_offset, homogeneous, read_poses
from .kitti_video import KittiVideo, RigCalibration, VideoFrame, drive_frames
from .registry import check_split, register

# The split of papers on depth and odometry from video; poses of 11 to 21 are not public.
_SPLITS = {"train": range(9), "val": range(9, 11), "test": range(11, 22)}
# Folder of the left camera, of the right one, and the numbers of their matrices.
_CAMERAS = (("image_2", "image_3", 2, 3), ("image_0", "image_1", 0, 1), ("left", "right", 0, 1))


@register("kitti-odometry")
def kitti_odometry(
    root: Path,
    split: str = "train",
    sequences: Iterable[int] | None = None,
    stereo: bool = True,
    neighbours: bool = False,
) -> KittiVideo:
    """Root with sequences/00 ... and poses/00.txt ..., or one sequence folder by itself (calib.txt, poses.txt).

    sequences: numbers instead of those of the split. stereo: False leaves the right camera out.
    """
    check_split(split, tuple(_SPLITS))
    if (root / "calib.txt").is_file():
        folders = [(root, root / "poses.txt")]
    else:
        numbers = _SPLITS[split] if sequences is None else sequences
        folders = [(root / "sequences" / f"{n:02d}", root / "poses" / f"{n:02d}.txt") for n in numbers]
    return KittiVideo([frame for pair in folders for frame in _sequence(*pair, stereo, neighbours)])


def _sequence(folder: Path, poses_path: Path, stereo: bool, neighbours: bool) -> list[VideoFrame]:
    left, right, a, b = next((names for names in _CAMERAS if (folder / names[0]).is_dir()), _CAMERAS[0])
    lefts = images_in(folder / left)
    path = folder / "calib.txt"
    numbers = read_numbers(path)
    p_left = matrix(numbers, f"P{a}", (3, 4), path)
    both = stereo and (folder / right).is_dir()
    from_lidar = p_left @ homogeneous(matrix(numbers, "Tr", (3, 4), path)) if "Tr" in numbers else None
    rig = RigCalibration(p_left, matrix(numbers, f"P{b}", (3, 4), path) if both else None, from_lidar, path)
    # The published poses are those of camera 0.
    to_camera_0 = np.linalg.inv(camera_offset(p_left))
    poses = read_poses(poses_path) @ to_camera_0 if poses_path.is_file() else None
    sweeps = folder / "velodyne" if (folder / "velodyne").is_dir() else None
    return drive_frames(lefts, folder / right if both else None, sweeps, rig, folder.name, poses, neighbours)
