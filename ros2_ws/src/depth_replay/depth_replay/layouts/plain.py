# SPDX-License-Identifier: Apache-2.0
"""Plain folder: left/, right/, calibration.json, optional timestamps.txt, truth folders and labels.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..messages.calibration import CalibrationError, StereoCalibration
from .sequence import (
    Frame,
    Layout,
    LayoutError,
    StereoSequence,
    matching,
    pair_by_name,
    read_seconds,
)

KEYS = ("width", "height", "fx", "fy", "cx_left", "cx_right", "cy", "baseline_m")


def read_plain(source: Path, rate_hz: float | None) -> StereoSequence:
    """Read a plain folder. Raises LayoutError naming what is missing."""
    pairs = pair_by_name(source / "left", source / "right")
    calibration = _calibration(source / "calibration.json")
    stamps = read_seconds(source / "timestamps.txt", len(pairs), rate_hz)
    frames = [
        Frame(
            stamp,
            left,
            right,
            calibration,
            disparity=matching(source / "disparity", left.stem),
            semantic=matching(source / "semantic", left.stem),
            instance=matching(source / "instance", left.stem),
        )
        for stamp, (left, right) in zip(stamps, pairs, strict=True)
    ]
    labels = source / "labels.json"
    return StereoSequence("plain", tuple(frames), _json(labels) if labels.is_file() else [])


def _calibration(path: Path) -> StereoCalibration:
    if not path.is_file():
        raise LayoutError(
            f"expected the calibration of the rectified pair in {path}, got no such file; write it as JSON with "
            f"the keys {list(KEYS)} (pixels and metres)"
        )
    values = _json(path)
    if not isinstance(values, dict) or not set(KEYS) <= set(values):
        raise LayoutError(f"expected the keys {list(KEYS)} in {path}, got {sorted(values)}")
    try:
        return StereoCalibration(
            int(values["width"]), int(values["height"]), **{key: float(values[key]) for key in KEYS[2:]}
        )
    except (CalibrationError, TypeError, ValueError) as error:
        raise LayoutError(f"{path}: {error}") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise LayoutError(f"expected JSON in {path}, got text that does not parse: {error}") from error


PLAIN = Layout(
    matches=lambda source: (source / "left").is_dir() and not (source / "calib.txt").is_file(),
    read=read_plain,
    expects="left/, right/, calibration.json",
)
