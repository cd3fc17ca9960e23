# SPDX-License-Identifier: Apache-2.0
"""Karlsruhe stereo sequences: left/, right/, calib.txt with P1_roi and P2_roi of the cropped images."""

from __future__ import annotations

from pathlib import Path

from ..messages.calibration import from_projections
from .sequence import (
    Frame,
    Layout,
    StereoSequence,
    image_size,
    pair_by_name,
    projection,
    read_matrices,
    read_seconds,
)


def read_karlsruhe(source: Path, rate_hz: float | None) -> StereoSequence:
    """Read a Karlsruhe folder; the images are the rectified region of interest, so P1_roi and P2_roi hold."""
    pairs = pair_by_name(source / "left", source / "right")
    path = source / "calib.txt"
    matrices = read_matrices(path)
    left, right = projection(matrices, "P1_roi", path), projection(matrices, "P2_roi", path)
    calibration = from_projections(left, right, image_size(pairs[0][0]), str(path))
    stamps = read_seconds(source / "timestamps.txt", len(pairs), rate_hz)
    frames = [Frame(stamp, a, b, calibration) for stamp, (a, b) in zip(stamps, pairs, strict=True)]
    return StereoSequence("karlsruhe", tuple(frames))


KARLSRUHE = Layout(
    matches=lambda source: (source / "left").is_dir() and (source / "calib.txt").is_file(),
    read=read_karlsruhe,
    expects="left/, right/, calib.txt with P1_roi and P2_roi",
)
