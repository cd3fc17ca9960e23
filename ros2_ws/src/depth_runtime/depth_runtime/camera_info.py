# SPDX-License-Identifier: Apache-2.0
"""What a sensor_msgs/CameraInfo says of the image beside it; any ROS library's message will do."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from .plan import Size


class CalibrationError(ValueError):
    """A calibration from which no metric depth follows; the message names the number."""


class Region(Protocol):
    """The fields of sensor_msgs/RegionOfInterest that count here; width and height 0 mean the whole image."""

    x_offset: int
    y_offset: int
    width: int
    height: int


class CameraInfo(Protocol):
    """The fields of sensor_msgs/CameraInfo that count here, of any ROS library; p holds 12 numbers, k 9, d any."""

    width: int
    height: int
    binning_x: int
    binning_y: int
    roi: Region
    d: Any
    k: Any
    p: Any


def image_projection(info: CameraInfo, side: str, size: Size | None = None) -> tuple[np.ndarray, Size]:
    """P float64 [3, 4] of the images that come with a CameraInfo, and their size.

    P of the message is meant for the full sensor image: u' = (u - x_offset) / binning_x brings it to the image. Raises
    CalibrationError when the result is not for images of `size`; side names the camera in the text.
    """
    binning_x, binning_y = max(1, info.binning_x), max(1, info.binning_y)
    width = (info.roi.width or info.width) // binning_x
    height = (info.roi.height or info.height) // binning_y
    if size is not None and (height, width) != size:
        raise CalibrationError(
            f"expected the {side} camera_info of {size[1]}x{size[0]} images, got one for {width}x{height} "
            f"(width {info.width}, height {info.height}, binning {binning_x}x{binning_y}, "
            f"roi {info.roi.width}x{info.roi.height}); publish the camera_info that belongs to the image"
        )
    p = np.array(info.p, np.float64).reshape(3, 4)
    p[0, 2] -= info.roi.x_offset
    p[1, 2] -= info.roi.y_offset
    p[0] /= binning_x
    p[1] /= binning_y
    return p, (height, width)
