# SPDX-License-Identifier: Apache-2.0
"""Arithmetic of a rectified stereo pair: disparity to depth, depth to points.

Convention: optical frame (x right, y down, z forward), metres; depth is the z coordinate, not the ray
length; invalid = NaN, nothing within range = +Inf, too close = -Inf (REP 117, REP 118).
"""

from __future__ import annotations

import numpy as np

from .camera import Camera


def depth_from_disparity(
    disparity_px: np.ndarray,
    focal_px: float,
    baseline_m: float,
    min_depth_m: float = 0.0,
    max_depth_m: float = np.inf,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Depth Z = f B / d.

    disparity_px: float32 [H, W], shifted so that infinity has disparity 0; NaN = invalid. Returns float32 [H, W]
    metres (in `out` if given): NaN where invalid, +Inf where d <= 0 or Z > max_depth_m, -Inf where Z < min_depth_m.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        depth_m = np.divide(np.float32(focal_px * baseline_m), disparity_px, out=out, dtype=np.float32)
        # Compared as disparities: these few masks are the cheapest order of work on large maps.
        far = disparity_px <= (focal_px * baseline_m / max_depth_m if max_depth_m > 0 else np.inf)
        np.putmask(depth_m, far, np.inf)
        if min_depth_m > 0:
            np.putmask(depth_m, disparity_px > focal_px * baseline_m / min_depth_m, -np.inf)
    return depth_m


def depth_millimetres(depth_m: np.ndarray) -> np.ndarray:
    """uint16 [H, W] millimetres of a metric depth map (REP 118); 0 where invalid, out of range or beyond 65.535 m."""
    with np.errstate(invalid="ignore"):
        millimetres = np.rint(depth_m * np.float32(1000))
        millimetres[~((millimetres >= 0) & (millimetres <= 65535))] = 0
    return millimetres.astype(np.uint16)


def points_from_depth(depth_m: np.ndarray, camera: Camera, stride: int = 1) -> np.ndarray:
    """Organised points float32 [ceil(H / stride), ceil(W / stride), 3] in metres, NaN where depth is not finite.

    depth_m: float32 [H, W]; camera: the left one for this size. X = (u - cx) Z / fx, Y = (v - cy) Z / fy.
    """
    z = depth_m[::stride, ::stride]
    z = np.where(np.isfinite(z), z, np.float32(np.nan))
    u = (np.arange(0, depth_m.shape[1], stride, dtype=np.float32) - np.float32(camera.cx)) / np.float32(camera.fx)
    v = (np.arange(0, depth_m.shape[0], stride, dtype=np.float32) - np.float32(camera.cy)) / np.float32(camera.fy)
    points = np.empty((*z.shape, 3), np.float32)
    np.multiply(z, u[None, :], out=points[..., 0])
    np.multiply(z, v[:, None], out=points[..., 1])
    points[..., 2] = z
    return points
