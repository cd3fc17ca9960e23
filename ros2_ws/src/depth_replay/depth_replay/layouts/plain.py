# SPDX-License-Identifier: Apache-2.0
"""Plain folder: left/, right/, calibration.json, optional timestamps.txt, truth folders and labels.json."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from depth_runtime.files.sequence_folder import CALIBRATION, KEYS, TIMES, read_calibration, read_frames, read_labels

from .sequence import FolderLayout, LayoutError, StampedFrame, StereoSequence, image_size, recorded_stamps


def read_plain(source: Path, rate_hz: float | None) -> StereoSequence:
    """Read a plain folder. Raises ValueError naming what is missing."""
    files, camera = read_frames(source), read_calibration(source)
    if not (source / "right").is_dir():
        raise LayoutError(f"expected a folder of images at {source / 'right'}, got nothing there")
    if camera is None:
        raise LayoutError(
            f"expected the calibration of the rectified pair in {source / CALIBRATION}, got no such file; write it as "
            f"JSON with the keys {list(KEYS)} (pixels and metres)"
        )
    if camera.size is None:
        camera = replace(camera, size=image_size(files[0].left))
    stamps = recorded_stamps(source / TIMES, len(files), rate_hz)
    frames = [
        StampedFrame(stamp, file.left, file.right, camera, **file.maps)
        for stamp, file in zip(stamps, files, strict=True)
        if file.right is not None  # none is missing, since right/ is there
    ]
    return StereoSequence("plain", tuple(frames), read_labels(source) or [])


PLAIN = FolderLayout(
    matches=lambda source: (source / "left").is_dir() and not (source / "calib.txt").is_file(),
    read=read_plain,
    expects="left/, right/, calibration.json",
)
