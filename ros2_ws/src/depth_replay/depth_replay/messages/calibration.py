# SPDX-License-Identifier: Apache-2.0
"""Calibration of a rectified pair, and the CameraInfo messages that carry it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .definitions import CAMERA_INFO, TYPES
from .image_codec import header


class CalibrationError(ValueError):
    """A calibration is missing or does not describe a rectified pair; the message names the file."""


@dataclass(frozen=True)
class StereoCalibration:
    """A rectified pair: focal lengths and principal points in pixels, baseline in metres.

    Both cameras share fy and cy; cx may differ. fx of both cameras is the same.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx_left: float
    cx_right: float
    cy: float
    baseline_m: float

    def __post_init__(self) -> None:
        if not (self.fx > 0 and self.fy > 0 and self.baseline_m > 0):
            raise CalibrationError(
                f"expected fx, fy and baseline > 0, got fx {self.fx}, fy {self.fy}, baseline {self.baseline_m} m; "
                "a negative baseline means that left and right are swapped"
            )

    def camera_infos(self, stamp_ns: int, frame_id: str) -> tuple[Any, Any]:
        """CameraInfo of the left and the right camera: R identity, D zero, P[0, 3] = -fx * baseline on the right.

        Both carry the left camera's frame, as ROS asks of a rectified pair.
        """
        return (
            self._camera_info(self.cx_left, 0.0, stamp_ns, frame_id),
            self._camera_info(self.cx_right, -self.fx * self.baseline_m, stamp_ns, frame_id),
        )

    def _camera_info(self, cx: float, shift: float, stamp_ns: int, frame_id: str) -> Any:
        roi = TYPES.types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
        return TYPES.types[CAMERA_INFO](
            header=header(stamp_ns, frame_id),
            height=self.height,
            width=self.width,
            distortion_model="plumb_bob",
            d=np.zeros(5),
            k=np.array([self.fx, 0, cx, 0, self.fy, self.cy, 0, 0, 1], float),
            r=np.eye(3).reshape(-1),
            p=np.array([self.fx, 0, cx, shift, 0, self.fy, self.cy, 0, 0, 0, 1, 0], float),
            binning_x=0,
            binning_y=0,
            roi=roi,
        )


def from_projections(left: np.ndarray, right: np.ndarray, size: tuple[int, int], source: str) -> StereoCalibration:
    """Calibration from two 3x4 projection matrices into one common reference camera.

    left, right: float [3, 4], P = K [I | t]; the baseline is the difference of the two t_x (K^-1 p_4). size is
    (height, width) in pixels; source names the file in errors. Raises CalibrationError when the two cameras are
    not rectified to each other (fx, fy or cy differ) or the baseline is not positive.
    """
    intrinsics = np.abs(left[:, :3] - right[:, :3])
    if intrinsics[0, 0] > 1e-3 * left[0, 0] or intrinsics[1, 1] > 1e-3 * left[1, 1] or intrinsics[1, 2] > 0.5:
        raise CalibrationError(
            f"expected a rectified pair in {source} (equal fx, fy, cy), got left {left[:, :3].tolist()} and "
            f"right {right[:, :3].tolist()}; rectify the images first"
        )
    left_x, right_x = (np.linalg.solve(p[:, :3], p[:, 3])[0] for p in (left, right))
    try:
        return StereoCalibration(
            width=size[1],
            height=size[0],
            fx=float(left[0, 0]),
            fy=float(left[1, 1]),
            cx_left=float(left[0, 2]),
            cx_right=float(right[0, 2]),
            cy=float(left[1, 2]),
            baseline_m=float(left_x - right_x),
        )
    except CalibrationError as error:
        raise CalibrationError(f"{source}: {error}") from error
