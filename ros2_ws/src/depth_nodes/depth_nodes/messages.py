# SPDX-License-Identifier: Apache-2.0
"""Maps to messages, exact to the field; each function returns bytes that a publisher takes."""

from __future__ import annotations

import sys

import numpy as np
from depth_runtime.camera import StereoCamera
from sensor_msgs.msg import Image, PointCloud2, PointField
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

from .serialize import serialize_with_data

# Smallest disparity step that the networks are asked to resolve, in pixels of the network input.
NETWORK_DELTA_D_PX = 1 / 16
POINT_BYTES = 16


def _image(header: Header, array: np.ndarray, encoding: str) -> Image:
    height, width = array.shape[:2]
    return Image(
        header=header,
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=int(sys.byteorder == "big"),
        step=width * array.itemsize * (array.shape[2] if array.ndim == 3 else 1),
    )


def image_message(header: Header, array: np.ndarray, encoding: str) -> bytes:
    """sensor_msgs/Image of a map [H, W] or [H, W, C] whose dtype is the encoding's."""
    array = np.ascontiguousarray(array)
    return serialize_with_data(_image(header, array, encoding), array)


def disparity_message(
    header: Header, disparity_px: np.ndarray, camera: StereoCamera, range_px: tuple[float, float], delta_d_px: float
) -> bytes:
    """stereo_msgs/DisparityImage.

    disparity_px: float32 [H, W] pixels of the published size, already shifted by -(cx_left - cx_right), so that
    Z = f t / d; NaN = invalid. camera: for the published size. range_px: smallest and largest disparity that can occur;
    the valid window is the whole image, since the network predicts every pixel.
    """
    disparity_px = np.ascontiguousarray(disparity_px)
    message = DisparityImage(
        header=header,
        image=_image(header, disparity_px, "32FC1"),
        f=camera.fx,
        t=camera.baseline_m,
        min_disparity=range_px[0],
        max_disparity=range_px[1],
        delta_d=delta_d_px,
    )
    message.valid_window.height, message.valid_window.width = disparity_px.shape
    return serialize_with_data(message, disparity_px)


def points_message(header: Header, points: np.ndarray, rgb: np.ndarray) -> bytes:
    """Organised sensor_msgs/PointCloud2 with fields x, y, z, rgb (RViz and PCL packing 0x00RRGGBB).

    points: float32 [H, W, 3] metres, NaN = invalid; rgb: uint8 [H, W, 3].
    """
    height, width = points.shape[:2]
    data = np.empty((height, width, 4), np.float32)
    data[..., :3] = points
    packed = data.view(np.uint8).reshape(height, width, POINT_BYTES)
    packed[..., 12:15] = rgb[..., ::-1]
    packed[..., 15] = 0
    message = PointCloud2(
        header=header,
        height=height,
        width=width,
        fields=[
            PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
            for i, name in enumerate(("x", "y", "z", "rgb"))
        ],
        is_bigendian=sys.byteorder == "big",
        point_step=POINT_BYTES,
        row_step=POINT_BYTES * width,
        is_dense=False,
    )
    return serialize_with_data(message, data)
