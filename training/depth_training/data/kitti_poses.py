# SPDX-License-Identifier: Apache-2.0
"""Camera poses of KITTI: pose lists of odometry, and GPS/IMU packets of raw drives."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from depth_runtime.files.reading import read_text

_EARTH_RADIUS_M = 6378137.0


def homogeneous(top: np.ndarray) -> np.ndarray:
    """[3, 4] -> [4, 4] with the last row 0 0 0 1."""
    return np.vstack((top, (0, 0, 0, 1)))


def camera_offset(projection: np.ndarray) -> np.ndarray:
    """[4, 4] from the frame of rectified camera 0 to that of the camera with P = K [I | t]."""
    offset = np.eye(4)
    offset[:3, 3] = np.linalg.solve(projection[:, :3], projection[:, 3])
    return offset


def read_poses(path: Path) -> np.ndarray:
    """float64 [N, 4, 4] camera to world, one row-major 3 x 4 matrix per line. Raises ValueError naming the line."""
    poses = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        try:
            poses.append(homogeneous(np.array([float(word) for word in words]).reshape(3, 4)))
        except ValueError as error:
            raise ValueError(f"expected 12 numbers in line {number} of {path}, got {len(words)} words") from error
    return np.stack(poses) if poses else np.empty((0, 4, 4))


def read_packet(path: Path) -> tuple[float, ...]:
    """lat, lon (degrees), alt (m), roll, pitch, yaw (rad) of one oxts packet."""
    words = read_text(path).split()
    try:
        values = tuple(float(word) for word in words[:6])
    except ValueError as error:
        raise ValueError(f"expected numbers in {path}, got {words[:6]}; copy the file again") from error
    if len(values) < 6:
        raise ValueError(f"expected lat lon alt roll pitch yaw ... in {path}, got {len(words)} numbers; copy it again")
    return values


def imu_pose(packet: tuple[float, ...], first: tuple[float, ...]) -> np.ndarray:
    """float64 [4, 4], IMU to world: x east, y north, z up, Mercator metres at the drive's first latitude."""
    scale = math.cos(math.radians(first[0]))

    def place(values: tuple[float, ...]) -> np.ndarray:
        north = math.log(math.tan(math.radians(90 + values[0]) / 2))
        return np.array((scale * _EARTH_RADIUS_M * math.radians(values[1]), scale * _EARTH_RADIUS_M * north, values[2]))

    roll, pitch, yaw = packet[3:6]
    (sr, cr), (sp, cp), (sy, cy) = ((math.sin(angle), math.cos(angle)) for angle in (roll, pitch, yaw))
    about_x = np.array(((1, 0, 0), (0, cr, -sr), (0, sr, cr)))
    about_y = np.array(((cp, 0, sp), (0, 1, 0), (-sp, 0, cp)))
    about_z = np.array(((cy, -sy, 0), (sy, cy, 0), (0, 0, 1)))
    return homogeneous(np.column_stack((about_z @ about_y @ about_x, place(packet) - place(first))))
