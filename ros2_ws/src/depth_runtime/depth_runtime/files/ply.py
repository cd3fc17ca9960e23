# SPDX-License-Identifier: Apache-2.0
"""Point clouds as PLY files, which MeshLab, CloudCompare, Blender and Open3D read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .atomic import write_whole

_VERTEX = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3)])
_PROPERTIES = [*(f"float {axis}" for axis in "xyz"), *(f"uchar {colour}" for colour in ("red", "green", "blue"))]


def write_ply(path: Path, points_m: np.ndarray, colours: np.ndarray) -> int:
    """Write the finite points as binary PLY, in one step; returns their number.

    points_m: float [..., 3]; colours: uint8 [..., 3] RGB, one for each point. Raises ValueError for other shapes.
    """
    if points_m.shape[-1:] != (3,) or colours.shape != points_m.shape or colours.dtype != np.uint8:
        raise ValueError(
            f"expected points [..., 3] and as many colours in uint8, got {list(points_m.shape)} and "
            f"{colours.dtype} {list(colours.shape)}"
        )
    finite = np.isfinite(points_m).all(-1)
    vertices = np.empty(np.count_nonzero(finite), _VERTEX)
    vertices["xyz"], vertices["rgb"] = points_m[finite], colours[finite]
    lines = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}"]
    lines += [*(f"property {entry}" for entry in _PROPERTIES), "end_header", ""]
    write_whole(path, "\n".join(lines).encode() + vertices.tobytes())
    return len(vertices)
