# SPDX-License-Identifier: Apache-2.0
"""What the class ids mean: a latched JSON string for everyone, vision_msgs/LabelInfo where it is installed."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict

from depth_runtime.spec import UNLABELLED, ModelSpec
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class LabelPublishers:
    """Publishes the labels of a network once, for late subscribers too."""

    def __init__(self, node: Node, spec: ModelSpec) -> None:
        self._node = node
        self._publishers: list[Publisher] = []
        labels = [asdict(label) for label in spec.labels]
        with ExitStack() as undo:
            undo.callback(self.destroy)
            text = json.dumps({"labels": labels, "unlabelled": UNLABELLED})
            self._latch(String, "panoptic/labels", String(data=text))
            if info := _label_info(node, spec):
                self._latch(type(info), "panoptic/label_info", info)
            undo.pop_all()

    def _latch(self, kind: type, topic: str, message: object) -> None:
        self._publishers.append(self._node.create_publisher(kind, topic, LATCHED))
        self._publishers[-1].publish(message)

    def destroy(self) -> None:
        """Take the topics down."""
        while self._publishers:
            self._node.destroy_publisher(self._publishers.pop())


def _label_info(node: Node, spec: ModelSpec) -> object | None:
    try:
        from vision_msgs.msg import LabelInfo, VisionClass
    except ImportError:
        return None
    info = LabelInfo()
    info.header.stamp = node.get_clock().now().to_msg()
    info.class_map = [VisionClass(class_id=label.id, class_name=label.name) for label in spec.labels]
    return info
