# SPDX-License-Identifier: Apache-2.0
"""Calibration texts as the data sets publish them, and what a Sample takes from them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from depth_runtime.geometry import CalibrationError, StereoCamera

from .files import read_text


def read_numbers(path: Path) -> dict[str, np.ndarray]:
    """KITTI's "key: numbers" lines as float64 arrays; lines of other content are left out.

    Lines without a key are numbered P0, P1, ... as odometry's older files mean them.
    """
    numbers: dict[str, np.ndarray] = {}
    for line in read_text(path).splitlines():
        key, colon, rest = line.partition(":")
        if not colon:
            key, rest = f"P{len(numbers)}", line
        try:
            values = np.array([float(word) for word in rest.split()])
        except ValueError:
            continue
        if values.size:
            numbers[key.strip()] = values
    return numbers


def matrix(numbers: dict[str, np.ndarray], key: str, shape: tuple[int, ...], path: Path) -> np.ndarray:
    """One entry of `read_numbers` as an array of this shape. Raises ValueError naming the path without it."""
    if key not in numbers or numbers[key].size != np.prod(shape):
        got = f"{numbers[key].size} numbers" if key in numbers else f"only {sorted(numbers)}"
        raise ValueError(f"expected '{key}:' with {int(np.prod(shape))} numbers in {path}, got {got}; check the file")
    return numbers[key].reshape(shape)


def camera_fields(p_left: np.ndarray) -> dict[str, Any]:
    """Sample.intrinsics of a projection matrix [3, 4]."""
    return {"intrinsics": tuple(float(p_left[i]) for i in ((0, 0), (1, 1), (0, 2), (1, 2)))}


def stereo_fields(p_left: np.ndarray, p_right: np.ndarray, path: Path) -> dict[str, Any]:
    """intrinsics, baseline_m and disparity_shift_px of two projection matrices [3, 4] in metres."""
    try:
        camera = StereoCamera.from_projections(p_left, p_right)
    except CalibrationError as error:
        raise ValueError(f"{path}: {error}") from error
    shift_px = camera.disparity_shift_px
    return camera_fields(p_left) | {"baseline_m": camera.baseline_m, "disparity_shift_px": shift_px}


_MATRIX = re.compile(r"\[([-\d.eE+\s;]*)\]")


def middlebury_fields(path: Path) -> dict[str, Any]:
    """The same of a calib.txt of Middlebury or ETH3D: cam0=[fx 0 cx; 0 fy cy; 0 0 1], doffs in px, baseline in mm."""
    lines = dict(line.split("=", 1) for line in read_text(path).splitlines() if "=" in line)
    try:
        camera = np.array([float(word) for word in _MATRIX.match(lines["cam0"])[1].replace(";", " ").split()])
        fx, _, cx, _, fy, cy = camera.reshape(3, 3)[:2].ravel().tolist()
        doffs_px, baseline_mm = float(lines["doffs"]), float(lines["baseline"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"expected cam0=[...], doffs= and baseline= in {path}, got {error!r}; copy the file again"
        ) from error
    # doffs = cx of the right camera - cx of the left one.
    return {"intrinsics": (fx, fy, cx, cy), "baseline_m": baseline_mm / 1000, "disparity_shift_px": -doffs_px}
