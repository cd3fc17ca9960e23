# SPDX-License-Identifier: Apache-2.0
"""The stereo node's subscriptions: images raw or compressed, camera_infos, and QoS trouble by topic name."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

from rclpy.event_handler import QoSRequestedIncompatibleQoSInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy, qos_policy_name_from_kind
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from .pairing import LEFT, LEFT_INFO, RIGHT, RIGHT_INFO

# SensorDataQoS with depth 1: the newest frame counts, a queue would only add age.
INPUT_QOS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.BEST_EFFORT,
    durability=DurabilityPolicy.VOLATILE,
)


class StereoInputs:
    """Four subscriptions that hand every message to on_message(topic key, message).

    on_incompatible(topic key, text) is called when a publisher offers a QoS that does not match.
    """

    def __init__(
        self,
        node: Node,
        transport: str,
        on_message: Callable[[str, Any], None],
        on_incompatible: Callable[[str, str], None],
    ) -> None:
        self._node = node
        self._on_message, self._on_incompatible = on_message, on_incompatible
        self.topics = {key: node.resolve_topic_name(key) for key in (LEFT, RIGHT, LEFT_INFO, RIGHT_INFO)}
        image_type: type = Image
        if transport == "compressed":
            # As image_transport does: the base name is remapped first, then the transport's name is added.
            image_type = CompressedImage
            self.topics |= {key: f"{self.topics[key]}/compressed" for key in (LEFT, RIGHT)}
        self._types = {LEFT: image_type, RIGHT: image_type, LEFT_INFO: CameraInfo, RIGHT_INFO: CameraInfo}
        self._subscriptions: list[Any] = []

    def subscribe(self) -> None:
        """Create the subscriptions; call destroy if that fails."""
        for key, kind in self._types.items():
            self._subscriptions.append(self._subscribe(key, kind))

    def _subscribe(self, key: str, kind: type) -> Any:
        events = SubscriptionEventCallbacks(incompatible_qos=lambda event: self._explain(key, event))
        return self._node.create_subscription(
            kind,
            self.topics[key],
            lambda message: self._on_message(key, message),
            copy(INPUT_QOS),  # rclpy writes overrides into what it is given
            event_callbacks=events,
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )

    def _explain(self, key: str, event: QoSRequestedIncompatibleQoSInfo) -> None:
        policy = qos_policy_name_from_kind(event.last_policy_kind)
        self._on_incompatible(
            key,
            f"a publisher on {self.topics[key]} offers an incompatible QoS ({policy}), its messages do not arrive; "
            f"change its {policy} or set qos_overrides.{self.topics[key]}.subscription in the params_file",
        )

    def publisher_count(self, key: str) -> int:
        """Publishers that DDS knows on this topic."""
        return self._node.count_publishers(self.topics[key])

    def destroy(self) -> None:
        """Take the subscriptions down."""
        while self._subscriptions:
            self._node.destroy_subscription(self._subscriptions.pop())
