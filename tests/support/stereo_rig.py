# SPDX-License-Identifier: Apache-2.0
"""A rig of cameras and listeners around a stereo node, over real DDS."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from node_control import NodeControl
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import String
from stereo_messages import make_compressed, make_image, make_info, scene, stamp_of
from stereo_msgs.msg import DisparityImage

RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
OUTPUTS = {
    "disparity": DisparityImage,
    "depth/image_rect": Image,
    "depth/camera_info": CameraInfo,
    "confidence": Image,
    "panoptic/semantic": Image,
    "panoptic/instance": Image,
    "panoptic/image_color": Image,
    "disparity/image_color": Image,
    "points": PointCloud2,
}
CAMERAS = {
    "left/image_rect": Image,
    "right/image_rect": Image,
    "left/camera_info": CameraInfo,
    "right/camera_info": CameraInfo,
}

# For an event that is certain to come; a machine under load may be slow.
TIMEOUT_S = 60.0
# A pair that was not answered after this is taken for lost and sent again, where that is allowed.
SEND_AGAIN_S = 3.0


def camera_topics(compressed: bool = False) -> dict[str, type]:
    """Input topics and their types, images raw or compressed."""
    if not compressed:
        return dict(CAMERAS)
    return {
        f"{topic}/compressed" if kind is Image else topic: CompressedImage if kind is Image else kind
        for topic, kind in CAMERAS.items()
    }


class Rig:
    """Publishers of the four inputs and listeners of the outputs in this process."""

    def __init__(self, context, namespace: str, input_qos: QoSProfile = RELIABLE, compressed: bool = False) -> None:
        self._name = f"{namespace}/stereo_node: stereo"
        self._compressed = compressed
        self.node = rclpy.create_node(f"rig_{time.monotonic_ns()}", context=context, namespace=namespace)
        self.received: dict[str, list] = defaultdict(list)
        self.stages: list[dict] = []
        self.statuses = 0
        self.status: dict[str, str] = {}
        self.status_level = b"\0"
        self.status_message = ""
        self.status_stamp_s = 0
        self._stamp_s = 100.0
        topics = camera_topics(compressed)
        self.cameras = {topic: self.node.create_publisher(kind, topic, input_qos) for topic, kind in topics.items()}
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, RELIABLE)
        self.node.create_subscription(String, "stereo_node/debug/stages", self._on_stages, RELIABLE)
        self.control = NodeControl(self.node, "stereo_node", TIMEOUT_S)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == self._name:
                self.status_level, self.status_message = status.level, status.message
                self.status_stamp_s = message.header.stamp.sec
                self.status = {pair.key: pair.value for pair in status.values}
                self.statuses += 1  # last: who waits for it finds all the rest

    def _on_stages(self, message: String) -> None:
        self.stages.append(json.loads(message.data))

    def listen(self, *topics: str) -> None:
        for topic in topics:
            self.node.create_subscription(OUTPUTS[topic], topic, self.received[topic].append, RELIABLE)

    def listen_raw(self, *topics: str) -> None:
        """Receive without unpacking or keeping: the cheapest subscriber there is, for measurements."""
        for topic in topics:
            arrived = self.received[topic]
            self.node.create_subscription(
                OUTPUTS[topic], topic, lambda _, arrived=arrived: arrived.append(None), RELIABLE, raw=True
            )

    def listen_latched(self, topic: str) -> None:
        self.node.create_subscription(String, topic, self.received[topic].append, LATCHED)

    def wait(self, condition: Callable[[], bool], what: str, timeout_s: float = TIMEOUT_S) -> None:
        """Wait until condition holds, or fail the test naming what was waited for."""
        if not self.happens(condition, timeout_s):
            pytest.fail(f"waited {timeout_s} s for {what}; diagnostics: {self.status_message} {self.status}")

    @staticmethod
    def happens(condition: Callable[[], bool], timeout_s: float) -> bool:
        """Whether condition holds before the time is over."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def wait_for_status(self, count: int = 2) -> None:
        """Wait for the next diagnostics; the second one was certainly made after this call."""
        seen = self.statuses
        self.wait(lambda: self.statuses >= seen + count, "diagnostics")

    def wait_for_node(self) -> None:
        """Wait until the node's subscriptions are there."""
        self.wait(lambda: all(p.get_subscription_count() for p in self.cameras.values()), "the node to subscribe")

    def warm_up(self) -> None:
        """Send pairs until every output that is listened to has answered the last one.

        Only then has DDS found everyone; and no earlier pair is under way any more.
        """
        self.wait_for_node()
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            before = {topic: len(messages) for topic, messages in self.received.items()}
            stamp_s = self.send_scene(*scene())
            if self.happens(lambda: self._all_answered(stamp_s, before), SEND_AGAIN_S):  # noqa: B023
                return
        pytest.fail(f"no warm-up pair was answered; diagnostics: {self.status_message} {self.status}")

    def _all_answered(self, stamp_s: float, before: dict[str, int]) -> bool:
        """Whether all topics have a message of this stamp; those that are not unpacked count by number."""
        return all(
            any(m is None or self._has(m, stamp_s) for m in messages[before.get(topic, 0) :])
            for topic, messages in self.received.items()
            if topic in OUTPUTS
        )

    @staticmethod
    def _has(message, stamp_s: float) -> bool:
        return (message.header.stamp.sec, message.header.stamp.nanosec) == stamp_of(stamp_s)

    def next_stamp(self) -> float:
        self._stamp_s += 0.1
        return self._stamp_s

    def send(self, left, right, left_info: CameraInfo, right_info: CameraInfo) -> None:
        for topic, message in zip(CAMERAS, (left, right, left_info, right_info), strict=True):
            publisher = self.cameras.get(topic) or self.cameras[f"{topic}/compressed"]
            publisher.publish(message)

    def send_scene(self, left: np.ndarray, right: np.ndarray, stamp_s: float | None = None) -> float:
        """Publish a good RGB pair with the standard calibration; returns its stamp."""
        stamp_s = self.next_stamp() if stamp_s is None else stamp_s
        size = left.shape[:2]
        make = make_compressed if self._compressed else make_image
        self.send(
            make(left, stamp_s=stamp_s),
            make(right, stamp_s=stamp_s),
            make_info("left", size, stamp_s),
            make_info("right", size, stamp_s),
        )
        return stamp_s

    def answered(self, topic: str, stamp_s: float) -> bool:
        """Whether an output topic has a message of this stamp."""
        return any(self._has(message, stamp_s) for message in list(self.received[topic]))

    def message_of(self, topic: str, stamp_s: float, timeout_s: float = TIMEOUT_S):
        """The message of this stamp on an output topic."""
        self.wait(lambda: self.answered(topic, stamp_s), f"{topic} at {stamp_s}", timeout_s)
        return next(message for message in self.received[topic] if self._has(message, stamp_s))

    def ask(self, topic: str, left: np.ndarray, right: np.ndarray):
        """The message for a pair that is sent again until it is answered, for a node that may lose some."""
        stamps = []

        def answered() -> bool:
            stamps.append(self.send_scene(left, right))
            return self.happens(lambda: self.answered(topic, stamps[-1]), SEND_AGAIN_S)

        self.wait(answered, f"a message on {topic}")
        return self.message_of(topic, stamps[-1])

    def stages_of(self, stamp_s: float) -> dict[str, float]:
        """Milliseconds of the stages of one frame; it comes after all its outputs were published."""
        wanted = list(stamp_of(stamp_s))
        self.wait(lambda: any(s["stamp"] == wanted for s in list(self.stages)), f"the stages at {stamp_s}")
        return next(s["ms"] for s in self.stages if s["stamp"] == wanted)

    def close(self) -> None:
        self._executor.shutdown()
        self._thread.join(TIMEOUT_S)
        self.node.destroy_node()
