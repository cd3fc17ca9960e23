# SPDX-License-Identifier: Apache-2.0
"""KITTI raw: synced and rectified drives with lidar and GPS/IMU. Source: Geiger et al., IJRR 2013."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from depth_runtime.files.images import images_in, natural_order
from depth_runtime.files.kitti_calibration import matrix, read_numbers
from depth_runtime.files.reading import read_text

from .kitti_poses import camera_offset, homogeneous, imu_pose, read_packet
from .kitti_video import KittiVideo, RigCalibration, VideoFrame, drive_frames
from .registry import check_split, register


@register("kitti-raw")
def kitti_raw(
    root: Path,
    split: str = "all",
    drives: Iterable[str] | None = None,
    split_file: str | Path = "",
    stereo: bool = True,
    grey: bool = False,
    neighbours: bool = False,
) -> KittiVideo:
    """Root with DATE/DATE_drive_NUMBER_sync/ and DATE/calib_*.txt.

    drives: names like 2011_09_26_drive_0002_sync instead of all that are there. split_file: a list of frames instead,
    "DATE/DRIVE NUMBER SIDE" in each line, as published for the Eigen split; a line of side r is the right camera's
    view, or, with stereo, the same pair as that of side l, and pairs come once. stereo: False leaves the right camera
    out. grey: cameras 0 and 1 instead of 2 and 3.
    """
    check_split(split, ("all",))
    cameras = (0, 1) if grey else (2, 3)
    if split_file:
        if drives is not None:
            raise ValueError(f"expected drives or split_file, got both {drives} and {split_file}; choose one")
        return KittiVideo(_listed(root, Path(split_file), cameras, stereo, neighbours))
    folders = (
        sorted(root.glob("*/*_sync"), key=natural_order)
        if drives is None
        else [root / name[:10] / name for name in drives]
    )
    if not folders:
        raise ValueError(f"expected DATE/DATE_drive_NUMBER_sync folders in {root}, got none; unpack the archives there")
    return KittiVideo([frame for folder in folders for frame in _drive(folder, cameras, stereo, neighbours)])


def read_split(path: Path) -> list[tuple[str, int, str]]:
    """Folder of the drive, frame number and side (l, r) of each line. Raises ValueError naming another line."""
    frames = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if len(words) != 3 or not words[1].isdecimal() or words[2] not in ("l", "r"):
            raise ValueError(f"expected DATE/DRIVE NUMBER l or r in line {number} of {path}, got '{line}'; correct it")
        frames.append((words[0], int(words[1]), words[2]))
    return frames


def _listed(root: Path, path: Path, cameras: tuple[int, int], stereo: bool, neighbours: bool) -> list[VideoFrame]:
    """Frames in the order of the list. Raises ValueError naming a frame that is not there."""
    lines = read_split(path)
    if stereo:
        lines = list(dict.fromkeys((drive, number, "l") for drive, number, _ in lines))
    drives: dict[tuple[str, str], dict[int, VideoFrame]] = {}
    frames = []
    for drive, number, side in lines:
        if (drive, side) not in drives:
            found = _drive(root / drive, cameras if side == "l" else cameras[::-1], stereo, neighbours)
            drives[drive, side] = {int(frame.left.stem): frame for frame in found}
        if number not in drives[drive, side]:
            wish = " with both neighbours" if neighbours else ""
            raise ValueError(f"expected frame {number} of {path}{wish} in {root / drive}, got none; unpack the drive")
        frame = drives[drive, side][number]
        frames.append(frame if side == "l" else replace(frame, name=f"{frame.name}/right"))
    return frames


def _drive(folder: Path, cameras: tuple[int, int], stereo: bool, neighbours: bool) -> list[VideoFrame]:
    lefts = images_in(folder / f"image_{cameras[0]:02d}" / "data")
    right, sweeps = folder / f"image_{cameras[1]:02d}" / "data", folder / "velodyne_points" / "data"
    path = folder.parent / "calib_cam_to_cam.txt"
    numbers = read_numbers(path)
    p_left, p_right = (matrix(numbers, f"P_rect_{camera:02d}", (3, 4), path) for camera in cameras)
    rectified = np.eye(4)
    rectified[:3, :3] = matrix(numbers, "R_rect_00", (3, 3), path)
    has_lidar = sweeps.is_dir()
    camera_from_lidar = rectified @ _rigid(folder.parent / "calib_velo_to_cam.txt") if has_lidar else None
    rig = RigCalibration(p_left, p_right if stereo else None, p_left @ camera_from_lidar if has_lidar else None, path)
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
