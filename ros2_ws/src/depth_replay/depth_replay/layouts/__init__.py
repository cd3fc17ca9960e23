# SPDX-License-Identifier: Apache-2.0
"""Folder layouts that `images-to-bag` reads, by name."""

from __future__ import annotations

from pathlib import Path

from .karlsruhe import KARLSRUHE
from .kitti import KITTI_ODOMETRY, KITTI_RAW, KITTI_STEREO
from .plain import PLAIN
from .sequence import FolderLayout, LayoutError, StampedFrame, StereoSequence

LAYOUTS: dict[str, FolderLayout] = {
    "kitti-raw": KITTI_RAW,
    "kitti-odometry": KITTI_ODOMETRY,
    "kitti-stereo": KITTI_STEREO,
    "karlsruhe": KARLSRUHE,
    "plain": PLAIN,
}


def read_sequence(source: Path, layout: str = "auto", rate_hz: float | None = None) -> StereoSequence:
    """Read a folder of image pairs in a named layout, or in the first that matches ("auto").

    rate_hz replaces the recorded times. Raises LayoutError when the folder is missing or fits no layout.
    """
    if not source.is_dir():
        raise LayoutError(f"expected a folder of image pairs at {source}, got nothing there")
    if layout == "auto":
        layout = next((name for name, entry in LAYOUTS.items() if entry.matches(source)), "")
        if not layout:
            known = "; ".join(f"{name}: {entry.expects}" for name, entry in LAYOUTS.items())
            raise LayoutError(f"expected one of these layouts in {source}: {known}; got none of them")
    if layout not in LAYOUTS:
        raise LayoutError(f"expected a layout among {['auto', *LAYOUTS]}, got '{layout}'")
    return LAYOUTS[layout].read(source, rate_hz)


__all__ = ["LAYOUTS", "FolderLayout", "LayoutError", "StampedFrame", "StereoSequence", "read_sequence"]
