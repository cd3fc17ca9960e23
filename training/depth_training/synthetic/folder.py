# SPDX-License-Identifier: Apache-2.0
"""Writes the plain sequence folder: stereo images with calibration, time stamps and exact truth as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from depth_runtime.spec import Label

DISPARITY_SCALE = 256.0  # stored value = pixels * 256, 0 = no truth
PNG = (cv2.IMWRITE_PNG_COMPRESSION, 9)


@dataclass(frozen=True)
class Calibration:
    """A rectified pair: focal lengths and principal points in pixels (pixel centres are whole numbers)."""

    width: int
    height: int
    fx: float
    fy: float
    cx_left: float
    cy: float
    cx_right: float
    baseline_m: float


@dataclass(frozen=True)
class Frame:
    """One stereo pair with its truth.

    left, right: uint8 [H, W, 3] RGB; disparity_px: float [H, W], 0 = none; semantic: uint8 [H, W];
    instance: uint16 [H, W], 0 = stuff.
    """

    left: np.ndarray
    right: np.ndarray
    disparity_px: np.ndarray
    semantic: np.ndarray
    instance: np.ndarray


def write_header(folder: Path, calibration: Calibration, labels: Sequence[Label], seconds: Sequence[float]) -> None:
    """Write calibration.json, labels.json and timestamps.txt (one stamp in seconds per frame)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "calibration.json").write_text(json.dumps(asdict(calibration), indent=2) + "\n")
    (folder / "labels.json").write_text(json.dumps([asdict(label) for label in labels], indent=2) + "\n")
    (folder / "timestamps.txt").write_text("".join(f"{second:.6f}\n" for second in seconds))


def write_frame(folder: Path, index: int, frame: Frame) -> None:
    """Write the PNG files of one frame. Raises ValueError for a disparity that 16 bit cannot hold."""
    stored = np.round(frame.disparity_px * DISPARITY_SCALE)
    if not (stored.min() >= 0 and stored.max() < 2**16):
        raise ValueError(
            f"expected disparities 0..{2**16 / DISPARITY_SCALE:.0f} px, got {frame.disparity_px.min():.1f}.."
            f"{frame.disparity_px.max():.1f} px; shorten the baseline or the focal length"
        )
    images = {
        "left": frame.left[:, :, ::-1],
        "right": frame.right[:, :, ::-1],
        "disparity": stored.astype(np.uint16),
        "semantic": frame.semantic.astype(np.uint8),
        "instance": frame.instance.astype(np.uint16),
    }
    for name, image in images.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        path = folder / name / f"{index:06d}.png"
        if not cv2.imwrite(str(path), image, PNG):
            raise OSError(f"expected to write {path}, got no file; check the disk and its permissions")
