# SPDX-License-Identifier: Apache-2.0
"""What the class ids mean: a latched JSON string for everyone, vision_msgs/LabelInfo where it is installed."""

from __future__ import annotations

import json
from dataclasses import asdict

from depth_runtime.spec import UNLABELLED, ModelSpec
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class LabelPublishers:
    """Publishes the labels of a network once, for late subscribers too."""

    def __init__(self, node: Node, spec: ModelSpec) -> None:
        self._node = node
        self._publishers = []
        labels = [asdict(label) for label in spec.labels]
        self._latch(String, "panoptic/labels", String(data=json.dumps({"labels": labels, "unlabelled": UNLABELLED})))
        if info := _label_info(node, spec):
            self._latch(type(info), "panoptic/label_info", info)

    def _latch(self, kind: type, topic: str, message: object) -> None:
        publisher = self._node.create_publisher(kind, topic, LATCHED)
        publisher.publish(message)
        self._publishers.append(publisher)

    def destroy(self) -> None:
        """Take the topics down."""
        for publisher in self._publishers:
            self._node.destroy_publisher(publisher)


def _label_info(node: Node, spec: ModelSpec) -> object | None:
    try:
        from vision_msgs.msg import LabelInfo, VisionClass
    except ImportError:
        return None
    info = LabelInfo()
    info.header.stamp = node.get_clock().now().to_msg()
    info.class_map = [VisionClass(class_id=label.id, class_name=label.name) for label in spec.labels]
    return info
