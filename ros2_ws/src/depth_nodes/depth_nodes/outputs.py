# SPDX-License-Identifier: Apache-2.0
"""The stereo node's output topics: who listens, what they need, and how a result becomes messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from depth_runtime.camera import StereoCamera
from depth_runtime.drawing import overlay_classes, palette
from depth_runtime.geometry import depth_from_disparity, depth_millimetres, points_from_depth
from depth_runtime.results import StereoResult
from depth_runtime.spec import ModelSpec
from depth_runtime.timing import StageTimer
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

from .calibration import scaled_camera_info
from .messages import NETWORK_DELTA_D_PX, disparity_message, image_message, points_message
from .views import DisparityView

DEPTH_INFO = "depth_info"

# Output -> (topic, type, the pipeline's maps that it needs besides disparity).
OUTPUTS: Mapping[str, tuple[str, type, frozenset[str]]] = {
    "disparity": ("disparity", DisparityImage, frozenset()),
    "depth": ("depth/image_rect", Image, frozenset()),
    DEPTH_INFO: ("depth/camera_info", CameraInfo, frozenset()),
    "confidence": ("confidence", Image, frozenset({"confidence"})),
    "semantic": ("panoptic/semantic", Image, frozenset({"semantic"})),
    "instance": ("panoptic/instance", Image, frozenset({"instance"})),
    "panoptic_color": ("panoptic/image_color", Image, frozenset({"semantic", "instance"})),
    "disparity_color": ("disparity/image_color", Image, frozenset()),
    "points": ("points", PointCloud2, frozenset()),
}
PUBLISHER_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)


@dataclass(frozen=True)
class Frame:
    """What belongs to one answered pair besides its maps. camera is the source-size calibration."""

    header: Header
    camera: StereoCamera
    left_info: CameraInfo
    left_rgb: np.ndarray


class StereoOutputs:
    """Lazy publishers of one configured node."""

    def __init__(self, node: LifecycleNode, spec: ModelSpec) -> None:
        self._spec = spec
        self._colors = palette({label.id: label.color for label in spec.labels})
        self._disparity_view = DisparityView()
        self.publishers = {
            name: node.create_lifecycle_publisher(
                kind, topic, PUBLISHER_QOS, qos_overriding_options=QoSOverridingOptions.with_default_policies()
            )
            for name, (topic, kind, _) in OUTPUTS.items()
        }

    def wanted(self, settings: Mapping[str, Any]) -> set[str]:
        """Outputs that somebody subscribes to and no toggle forbids."""
        return {
            name
            for name, publisher in self.publishers.items()
            if settings[f"publish.{'depth' if name == DEPTH_INFO else name}"] and publisher.get_subscription_count()
        }

    @staticmethod
    def maps(wanted: set[str]) -> set[str]:
        """Maps that the pipeline must compute for these outputs."""
        return set().union(*(OUTPUTS[name][2] for name in wanted))

    def publish(
        self, result: StereoResult, frame: Frame, wanted: set[str], settings: Mapping[str, Any], timer: StageTimer
    ) -> None:
        """Publish the wanted outputs of one result; stage times go to the timer."""
        plan = result.plan
        camera = frame.camera.scaled(plan.scale_out)
        disparity_px = result.disparity_px
        if camera.disparity_shift_px:
            disparity_px -= np.float32(camera.disparity_shift_px)
        send = self._send
        if "disparity" in wanted:
            top = float(self._spec.max_disparity) * plan.disparity_scale
            span = (-camera.disparity_shift_px, top - camera.disparity_shift_px)
            delta = NETWORK_DELTA_D_PX * plan.disparity_scale
            send("disparity", disparity_message(frame.header, disparity_px, camera, span, delta))
            timer.mark("publish_disparity")
        if wanted & {"depth", "points"}:
            depth_m = depth_from_disparity(
                disparity_px, camera.fx, camera.baseline_m, settings["min_depth_m"], settings["max_depth_m"]
            )
            timer.mark("depth")
        if "depth" in wanted:
            encoding = settings["depth_encoding"]
            pixels = depth_m if encoding == "32FC1" else depth_millimetres(depth_m)
            send("depth", image_message(frame.header, pixels, encoding))
            timer.mark("publish_depth")
        if DEPTH_INFO in wanted:
            info = scaled_camera_info(frame.left_info, plan.source, plan.target)
            info.header = frame.header
            send(DEPTH_INFO, info)
        self._publish_maps(result, frame, wanted, timer)
        self._publish_views(result, disparity_px, frame, wanted, timer)
        if "points" in wanted:
            stride = settings["point_stride"]
            points = points_from_depth(depth_m, camera.left, stride)
            rgb = _at_size(frame.left_rgb, plan.target)[::stride, ::stride]
            send("points", points_message(frame.header, points, rgb))
            timer.mark("publish_points")

    def _publish_maps(self, result: StereoResult, frame: Frame, wanted: set[str], timer: StageTimer) -> None:
        if "confidence" in wanted and result.confidence is not None:
            self._send("confidence", image_message(frame.header, result.confidence, "32FC1"))
            timer.mark("publish_confidence")
        if "semantic" in wanted and result.panoptic:
            self._send("semantic", image_message(frame.header, result.panoptic.semantic, "mono8"))
            timer.mark("publish_semantic")
        if "instance" in wanted and result.panoptic and result.panoptic.instance is not None:
            self._send("instance", image_message(frame.header, result.panoptic.instance, "mono16"))
            timer.mark("publish_instance")

    def _publish_views(
        self, result: StereoResult, disparity_px: np.ndarray, frame: Frame, wanted: set[str], timer: StageTimer
    ) -> None:
        if "panoptic_color" in wanted and result.panoptic:
            left_rgb = _at_size(frame.left_rgb, result.plan.target)
            view = overlay_classes(left_rgb, result.panoptic.semantic, result.panoptic.instance, self._colors)
            self._send("panoptic_color", image_message(frame.header, view, "rgb8"))
            timer.mark("publish_panoptic_color")
        if "disparity_color" in wanted:
            self._send("disparity_color", image_message(frame.header, self._disparity_view.draw(disparity_px), "rgb8"))
            timer.mark("publish_disparity_color")

    def _send(self, name: str, message: Any) -> None:
        self.publishers[name].publish(message)


def _at_size(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return rgb if rgb.shape[:2] == size else cv2.resize(rgb, size[::-1], interpolation=cv2.INTER_AREA)
