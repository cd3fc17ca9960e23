# SPDX-License-Identifier: Apache-2.0
"""The CameraInfo messages that carry the calibration of a rectified pair."""

from __future__ import annotations

from typing import Any

import numpy as np
from depth_runtime.camera import Camera, StereoCamera

from .definitions import CAMERA_INFO, TYPES
from .image_codec import header


def camera_infos(camera: StereoCamera, stamp_ns: int, frame_id: str) -> tuple[Any, Any]:
    """CameraInfo of the left and the right camera: R identity, D zero, P[0, 3] = -fx * baseline on the right.

    Both carry the left camera's frame, as ROS asks of a rectified pair. Raises CalibrationError for a camera of
    unknown size.
    """
    return (
        _camera_info(camera.left, 0.0, stamp_ns, frame_id),
        _camera_info(camera.right, camera.right_shift, stamp_ns, frame_id),
    )


def _camera_info(camera: Camera, shift: float, stamp_ns: int, frame_id: str) -> Any:
    fields = camera.camera_info_fields(shift)
    return TYPES.types[CAMERA_INFO](
        header=header(stamp_ns, frame_id),
        distortion_model="plumb_bob",
        d=np.zeros(5),
        binning_x=0,
        binning_y=0,
        roi=TYPES.types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False),
        **{name: np.array(value) if isinstance(value, list) else value for name, value in fields.items()},
    )
