# SPDX-License-Identifier: Apache-2.0
"""CameraInfo to StereoCamera and back to the CameraInfo of a published map."""

from __future__ import annotations

from copy import deepcopy

from depth_runtime.camera import BASELINES, CalibrationError, Camera, StereoCamera
from depth_runtime.rectification import BaselineRule
from sensor_msgs.msg import CameraInfo, RegionOfInterest

from .problems import BadMessageError


def stereo_camera(
    left: CameraInfo, right: CameraInfo, size: tuple[int, int], rule: BaselineRule = BASELINES
) -> StereoCamera:
    """Calibration of a rectified pair for images of size (height, width).

    P is meant for the full sensor image; binning and region of interest bring it to the images. Raises
    BadMessageError (cause: calibration) for numbers from which no metric depth follows, or for other image sizes.
    """
    try:
        return StereoCamera.from_camera_infos(left, right, size, rule)
    except CalibrationError as error:
        raise BadMessageError("calibration", str(error)) from error


def scaled_camera_info(left: CameraInfo, source: tuple[int, int], target: tuple[int, int]) -> CameraInfo:
    """The camera_info of a map of size target (height, width) made from left images of size source.

    That of a rectified image: K is that of P, D is zero in the camera's own distortion model, R is the identity, and P
    has no translation, since the map lies in the left camera's frame. Binning and region of interest are folded in.
    """
    info = deepcopy(left)
    for name, value in Camera.from_camera_info(left, source).resized(target).camera_info_fields().items():
        setattr(info, name, value)
    info.d = [0.0] * len(left.d)
    info.binning_x = info.binning_y = 0
    info.roi = RegionOfInterest()
    return info
