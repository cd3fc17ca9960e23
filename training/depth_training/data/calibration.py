# SPDX-License-Identifier: Apache-2.0
"""Cameras of the calibrations that the data sets publish."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from depth_runtime.camera import BASELINES, CalibrationError, Camera, StereoCamera
from depth_runtime.files.reading import read_text


def stereo_pair(p_left: np.ndarray, p_right: np.ndarray, path: Path) -> StereoCamera:
    """The pair of two projection matrices [3, 4] in metres. Raises CalibrationError naming the path."""
    try:
        return StereoCamera.from_projections(p_left, p_right)
    except CalibrationError as error:
        raise CalibrationError(f"{path}: {error}") from error


_MATRIX = re.compile(r"\[([-\d.eE+\s;]*)\]")


def middlebury_pair(path: Path) -> StereoCamera:
    """The pair of a calib.txt of Middlebury or ETH3D: cam0=[fx 0 cx; 0 fy cy; 0 0 1], doffs in px, baseline in mm.

    Raises ValueError naming the path.
    """
    lines = dict(line.split("=", 1) for line in read_text(path).splitlines() if "=" in line)
    try:
        numbers = np.array([float(word) for word in _MATRIX.match(lines["cam0"])[1].replace(";", " ").split()])
        fx, _, cx, _, fy, cy = numbers.reshape(3, 3)[:2].ravel().tolist()
        doffs_px, baseline_mm = float(lines["doffs"]), float(lines["baseline"])
        size = (int(lines["height"]), int(lines["width"])) if {"height", "width"} <= set(lines) else None
        # doffs = cx of the right camera - cx of the left one.
        camera = StereoCamera.of(Camera(fx, fy, cx, cy, size), cx + doffs_px, baseline_mm / 1000)
        BASELINES.check(camera.baseline_m, f"baseline={baseline_mm:g}, in millimetres")
        return camera
    except CalibrationError as error:
        raise CalibrationError(f"{path}: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"expected cam0=[...], doffs= and baseline= in {path}, got {error!r}; copy the file again"
        ) from error
