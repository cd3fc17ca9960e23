# SPDX-License-Identifier: Apache-2.0
"""KITTI raw: synced and rectified drives with lidar and GPS/IMU. Source: Geiger et al., IJRR 2013."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .calibration import matrix, read_numbers
from .files import images_in
from .kitti_poses import camera_offset, homogeneous, imu_pose, read_packet
from .kitti_video import Frame, KittiVideo, Rig, drive_frames
from .registry import check_split, register


@register("kitti-raw")
def kitti_raw(
    root: Path,
    split: str = "all",
    drives: Iterable[str] | None = None,
    stereo: bool = True,
    grey: bool = False,
    neighbours: bool = False,
) -> KittiVideo:
    """Root with DATE/DATE_drive_NUMBER_sync/ and DATE/calib_*.txt.

    drives: names like 2011_09_26_drive_0002_sync instead of all that are there. stereo: False leaves the right
    camera out. grey: cameras 0 and 1 instead of 2 and 3.
    """
    check_split(split, ("all",))
    folders = sorted(root.glob("*/*_sync")) if drives is None else [root / name[:10] / name for name in drives]
    if not folders:
        raise ValueError(f"expected DATE/DATE_drive_NUMBER_sync folders in {root}, got none; unpack the archives there")
    cameras = (0, 1) if grey else (2, 3)
    return KittiVideo([frame for folder in folders for frame in _drive(folder, cameras, stereo, neighbours)])


def _drive(folder: Path, cameras: tuple[int, int], stereo: bool, neighbours: bool) -> list[Frame]:
    lefts = images_in(folder / f"image_{cameras[0]:02d}" / "data")
    right, sweeps = folder / f"image_{cameras[1]:02d}" / "data", folder / "velodyne_points" / "data"
    path = folder.parent / "calib_cam_to_cam.txt"
    numbers = read_numbers(path)
    p_left, p_right = (matrix(numbers, f"P_rect_{camera:02d}", (3, 4), path) for camera in cameras)
    rectified = np.eye(4)
    rectified[:3, :3] = matrix(numbers, "R_rect_00", (3, 3), path)
    has_lidar = sweeps.is_dir()
    camera_from_lidar = rectified @ _rigid(folder.parent / "calib_velo_to_cam.txt") if has_lidar else None
    rig = Rig(p_left, p_right if stereo else None, p_left @ camera_from_lidar if has_lidar else None, path)
    poses = None
    if (folder / "oxts" / "data").is_dir():
        lidar_from_imu = _rigid(folder.parent / "calib_imu_to_velo.txt")
        camera_0 = rectified @ _rigid(folder.parent / "calib_velo_to_cam.txt") @ lidar_from_imu
        poses = _poses(folder / "oxts" / "data", lefts, camera_offset(p_left) @ camera_0)
    return drive_frames(
        lefts, right if stereo else None, sweeps if has_lidar else None, rig, folder.name, poses, neighbours
    )


def _rigid(path: Path) -> np.ndarray:
    """float64 [4, 4] of a file with R and T."""
    numbers = read_numbers(path)
    rotation, translation = matrix(numbers, "R", (3, 3), path), matrix(numbers, "T", (3,), path)
    return homogeneous(np.column_stack((rotation, translation)))


def _poses(packets: Path, lefts: list[Path], camera_from_imu: np.ndarray) -> list[np.ndarray]:
    """Left camera to world (east, north, up, from the drive's first IMU position) for each image."""
    read = [read_packet(packets / f"{path.stem}.txt") for path in lefts]
    return [imu_pose(packet, read[0]) @ np.linalg.inv(camera_from_imu) for packet in read]
