# SPDX-License-Identifier: Apache-2.0
"""CameraInfo to StereoCamera and back to the CameraInfo of a published map."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
from depth_runtime.geometry import CalibrationError, StereoCamera, scale_axis
from sensor_msgs.msg import CameraInfo

from .problems import BadMessageError


def stereo_camera(left: CameraInfo, right: CameraInfo, size: tuple[int, int]) -> StereoCamera:
    """Calibration of a rectified pair for images of size (height, width).

    P is meant for the full sensor image; binning and region of interest bring it to the images. Raises
    BadMessageError (cause: calibration) for numbers from which no metric depth follows, or for other image sizes.
    """
    try:
        return StereoCamera.from_projections(_projection(left, size, "left"), _projection(right, size, "right"))
    except CalibrationError as error:
        raise BadMessageError("calibration", str(error)) from error


def _projection(info: CameraInfo, size: tuple[int, int], side: str) -> np.ndarray:
    """P [3, 4] of a rectified image of this size; CameraInfo.msg: u' = (u - x_offset) / binning_x."""
    binning_x, binning_y = max(1, info.binning_x), max(1, info.binning_y)
    width = (info.roi.width or info.width) // binning_x
    height = (info.roi.height or info.height) // binning_y
    if (height, width) != size:
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
    return p


def scaled_camera_info(left: CameraInfo, source: tuple[int, int], target: tuple[int, int]) -> CameraInfo:
    """The left camera_info of a map of size target (height, width) made from images of size source.

    K and P are scaled with pixel centres at whole numbers; binning and region of interest are folded in.
    """
    info = deepcopy(left)
    info.height, info.width = target
    scale_y, scale_x = target[0] / source[0], target[1] / source[1]
    p = _projection(left, source, "left")
    k = np.array(left.k, np.float64).reshape(3, 3)
    k[0, 2] -= left.roi.x_offset
    k[1, 2] -= left.roi.y_offset
    k[0] /= max(1, left.binning_x)
    k[1] /= max(1, left.binning_y)
    for matrix in (k, p):
        matrix[0, 0], matrix[0, 2] = scale_axis(matrix[0, 0], matrix[0, 2], scale_x)
        matrix[1, 1], matrix[1, 2] = scale_axis(matrix[1, 1], matrix[1, 2], scale_y)
    p[0, 3] *= scale_x
    p[1, 3] *= scale_y
    info.k, info.p = k.ravel().tolist(), p.ravel().tolist()
    info.binning_x = info.binning_y = 0
    info.roi = type(info.roi)()
    return info
