# SPDX-License-Identifier: Apache-2.0
"""The stereo node's output topics, in the order in which they are published."""

from __future__ import annotations

from sensor_msgs.msg import Image
from stereo_msgs.msg import DisparityImage

from .maps import StereoMaps
from .messages import NETWORK_DELTA_D_PX, disparity_message, image_message
from .outputs import CONFIDENCE, DEPTH, DEPTH_INFO, INSTANCE, PANOPTIC_COLOR, POINTS, SEMANTIC, Output


def _disparity(maps: StereoMaps) -> bytes:
    camera, scale = maps.camera, maps.plan.disparity_scale
    top = maps.max_disparity_px * scale
    span = (-camera.disparity_shift_px, top - camera.disparity_shift_px)
    return disparity_message(maps.header, maps.disparity_px, camera, span, NETWORK_DELTA_D_PX * scale)


def _disparity_color(maps: StereoMaps) -> bytes:
    return image_message(maps.header, maps.views.disparity.draw(maps.disparity_px), "rgb8")


OUTPUTS: tuple[Output, ...] = (
    Output("disparity", "disparity", DisparityImage, _disparity),
    DEPTH,
    DEPTH_INFO,
    CONFIDENCE,
    SEMANTIC,
    INSTANCE,
    PANOPTIC_COLOR,
    Output("disparity_color", "disparity/image_color", Image, _disparity_color),
    POINTS,
)
