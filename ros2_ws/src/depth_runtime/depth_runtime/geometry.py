# SPDX-License-Identifier: Apache-2.0
"""Geometry of a rectified stereo pair: calibration, disparity to depth, depth to points.

Convention: optical frame (x right, y down, z forward), metres; depth is the z coordinate, not the ray
length; invalid = NaN, nothing within range = +Inf, too close = -Inf (REP 117, REP 118).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


class CalibrationError(ValueError):
    """A calibration from which no metric depth follows; the message names the number."""


def scale_axis(focal_px: float, center_px: float, scale: float) -> tuple[float, float]:
    """Focal length and principal point of one axis after a resize by `scale` (pixel centres at whole numbers)."""
    return focal_px * scale, (center_px + 0.5) * scale - 0.5


@dataclass(frozen=True)
class StereoCamera:
    """Pinhole model of a rectified pair in pixels of its images; baseline in metres, > 0."""

    fx: float
    fy: float
    cx_left: float
    cx_right: float
    cy: float
    baseline_m: float

    def __post_init__(self) -> None:
        values = (self.fx, self.fy, self.cx_left, self.cx_right, self.cy, self.baseline_m)
        if not np.isfinite(values).all():
            raise CalibrationError(f"expected finite numbers in P, got {values}; calibrate the pair")
        if self.fx <= 0 or self.fy <= 0:
            raise CalibrationError(f"expected focal lengths > 0 px, got fx {self.fx}, fy {self.fy}; calibrate the pair")
        if self.baseline_m <= 0:
            raise CalibrationError(
                f"expected a baseline > 0 m from P_right[3] = -fx * baseline, got {self.baseline_m:.6g} m; "
                "check that left and right are not swapped and that the right camera_info is of a stereo pair"
            )

    @classmethod
    def from_projections(cls, p_left: np.ndarray, p_right: np.ndarray) -> StereoCamera:
        """From the 3x4 projection matrices (row-major, 12 numbers or [3, 4]) of the rectified cameras.

        Raises CalibrationError for numbers from which no depth follows.
        """
        left, right = (np.asarray(p, np.float64).reshape(3, 4) for p in (p_left, p_right))
        for name, p in (("left", left), ("right", right)):
            if not np.isfinite(p).all():
                raise CalibrationError(f"expected finite numbers in P of the {name} camera_info, got {p.tolist()}")
            if p[0, 0] <= 0 or p[1, 1] <= 0:
                raise CalibrationError(
                    f"expected focal lengths > 0 in P of the {name} camera_info, got fx {p[0, 0]:g}, fy {p[1, 1]:g}; "
                    "the camera is not calibrated"
                )
        if abs(left[0, 0] - right[0, 0]) > 0.01 * left[0, 0]:
            raise CalibrationError(
                f"expected one focal length for a rectified pair, got fx {left[0, 0]:g} and {right[0, 0]:g}; "
                "feed rectified images with the camera_info of the rectification"
            )
        return cls(
            fx=float(left[0, 0]),
            fy=float(left[1, 1]),
            cx_left=float(left[0, 2]),
            cx_right=float(right[0, 2]),
            cy=float(left[1, 2]),
            baseline_m=float((left[0, 3] - right[0, 3]) / left[0, 0]),
        )

    @property
    def disparity_shift_px(self) -> float:
        """cx_left - cx_right: the disparity of a point at infinity."""
        return self.cx_left - self.cx_right

    def scaled(self, scale: tuple[float, float]) -> StereoCamera:
        """The same cameras for images resized by scale (x, y)."""
        fx, cx_left = scale_axis(self.fx, self.cx_left, scale[0])
        fy, cy = scale_axis(self.fy, self.cy, scale[1])
        cx_right = scale_axis(self.fx, self.cx_right, scale[0])[1]
        return replace(self, fx=fx, fy=fy, cx_left=cx_left, cx_right=cx_right, cy=cy)


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


def points_from_depth(depth_m: np.ndarray, camera: StereoCamera, stride: int = 1) -> np.ndarray:
    """Organised points float32 [ceil(H / stride), ceil(W / stride), 3] in metres, NaN where depth is not finite.

    depth_m: float32 [H, W]; camera: left intrinsics for this size. X = (u - cx) Z / fx, Y = (v - cy) Z / fy.
    """
    z = depth_m[::stride, ::stride]
    z = np.where(np.isfinite(z), z, np.float32(np.nan))
    u = (np.arange(0, depth_m.shape[1], stride, dtype=np.float32) - np.float32(camera.cx_left)) / np.float32(camera.fx)
    v = (np.arange(0, depth_m.shape[0], stride, dtype=np.float32) - np.float32(camera.cy)) / np.float32(camera.fy)
    points = np.empty((*z.shape, 3), np.float32)
    np.multiply(z, u[None, :], out=points[..., 0])
    np.multiply(z, v[:, None], out=points[..., 1])
    points[..., 2] = z
    return points
