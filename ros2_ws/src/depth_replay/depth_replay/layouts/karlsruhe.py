# SPDX-License-Identifier: Apache-2.0
"""Karlsruhe stereo sequences: left/, right/, calib.txt with P1_roi and P2_roi of the cropped images."""

from __future__ import annotations

from pathlib import Path

from depth_runtime.files.images import paired_by_name

from .sequence import FolderLayout, StampedFrame, StereoSequence, recorded_stamps, rectified_pair


def read_karlsruhe(source: Path, rate_hz: float | None) -> StereoSequence:
    """Read a Karlsruhe folder; the images are the rectified region of interest, so P1_roi and P2_roi hold."""
    pairs = paired_by_name(source / "left", source / "right")
    camera = rectified_pair(source / "calib.txt", ("P1_roi", "P2_roi"), pairs[0][0])
    stamps = recorded_stamps(source / "timestamps.txt", len(pairs), rate_hz)
    frames = [StampedFrame(stamp, a, b, camera) for stamp, (a, b) in zip(stamps, pairs, strict=True)]
    return StereoSequence("karlsruhe", tuple(frames))


KARLSRUHE = FolderLayout(
    matches=lambda source: (source / "left").is_dir() and (source / "calib.txt").is_file(),
    read=read_karlsruhe,
    expects="left/, right/, calib.txt with P1_roi and P2_roi",
)
