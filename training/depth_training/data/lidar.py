# SPDX-License-Identifier: Apache-2.0
"""Lidar sweeps of KITTI as sparse depth maps of a camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from depth_runtime.files.reading import read_bytes

_NEAREST_M = 0.5  # closer returns are the car itself


def read_sweep(path: Path) -> np.ndarray:
    """Points float32 [N, 3] in metres of the lidar frame (x forward). Raises ValueError naming a cut file."""
    content = read_bytes(path)
    if not content or len(content) % 16:
        raise ValueError(f"expected rows of four float32 in {path}, got {len(content)} bytes; copy the file again")
    return np.frombuffer(content, "<f4").reshape(-1, 4)[:, :3]


def project_depth(points_m: np.ndarray, projection: np.ndarray, height: int, width: int) -> np.ndarray:
    """Depth float32 [H, W] metres of the nearest point in each pixel, NaN where none falls.

    points_m: [N, 3]; projection: float64 [3, 4] from homogeneous points to pixels * depth (pixel centres at whole
    numbers). Points behind the camera, and the car itself, are left out.
    """
    image = points_m.astype(np.float64) @ projection[:, :3].T + projection[:, 3]
    image = image[image[:, 2] > _NEAREST_M]
    column = np.rint(image[:, 0] / image[:, 2]).astype(np.int64)
    row = np.rint(image[:, 1] / image[:, 2]).astype(np.int64)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    depth_m = np.full(height * width, np.inf)
    np.minimum.at(depth_m, row[inside] * width + column[inside], image[inside, 2])
    return np.where(np.isfinite(depth_m), depth_m, np.nan).astype(np.float32).reshape(height, width)
