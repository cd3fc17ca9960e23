# SPDX-License-Identifier: Apache-2.0
"""Portable float maps. Format: Paul Debevec's PFM page; used by SceneFlow, Middlebury and ETH3D."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from depth_runtime.files.reading import read_bytes

# Magic, width, height, scale, each followed by one white space; a negative scale means little endian.
_HEADER = re.compile(rb"(PF|Pf)\s+(\d+)\s+(\d+)\s+([-+.\deE]+)\s")


def read_pfm(path: Path) -> np.ndarray:
    """float32 [H, W] (Pf) or [H, W, 3] (PF), first row on top; infinities as they are in the file.

    Raises ValueError naming the path for any other file or one of the wrong length.
    """
    content = read_bytes(path)
    header = _HEADER.match(content)
    if not header:
        raise ValueError(f"expected the header of a PFM file in {path}, got {content[:16]!r}; copy the file again")
    channels, width, height = 3 if header[1] == b"PF" else 1, int(header[2]), int(header[3])
    values = content[header.end() :]
    if len(values) != 4 * channels * width * height:
        raise ValueError(
            f"expected {4 * channels * width * height} bytes of {width} x {height} values in {path}, "
            f"got {len(values)}; copy the file again"
        )
    order = "<" if float(header[4]) < 0 else ">"
    rows = np.frombuffer(values, f"{order}f4").reshape((height, width, 3)[: 3 if channels == 3 else 2])
    return np.ascontiguousarray(rows[::-1], dtype=np.float32)


def read_pfm_disparity(path: Path) -> np.ndarray:
    """Disparity of a one-channel PFM file, float32 [H, W] px >= 0, NaN where the file has no finite value.

    Some sets store the disparity of the left view with a minus sign; its size is meant.
    """
    values = read_pfm(path)
    if values.ndim != 2:
        raise ValueError(f"expected one channel in {path}, got {values.shape[2]}; take the disparity file")
    return np.where(np.isfinite(values), np.abs(values), np.float32(np.nan))
