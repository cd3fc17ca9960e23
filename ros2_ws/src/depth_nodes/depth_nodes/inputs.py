# SPDX-License-Identifier: Apache-2.0
"""The stereo node's subscriptions: images raw or compressed, camera_infos live or latched, trouble by topic name."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from copy import copy
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.event_handler import QoSRequestedIncompatibleQoSInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, qos_policy_name_from_kind
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from .pairing import IMAGES, INFOS, TOPICS
from .qos import INPUT_QOS, LATCHED_QOS, override_options

RAW, COMPRESSED, AUTO = "raw", "compressed", "auto"
# How often one looks what is published, and how.
LOOK_S = 0.5
# Stamps by which a camera_info that comes by two subscriptions is known.
REMEMBERED = 8
LOST_ON_THE_WAY = (
    "their camera_info arrives, so either no image was sent yet, or Fast DDS's default shared memory is too small for "
    "the images; start the camera driver with depth_bringup's config/fastdds.xml (FASTRTPS_DEFAULT_PROFILES_FILE), or "
    "set qos_overrides.TOPIC.subscription.reliability to reliable"
)


def with_transport(topic: str, transport: str) -> str:
    """Name of an image topic, as image_transport makes it."""
    return f"{topic}/compressed" if transport == COMPRESSED else topic


# All that a stereo node may subscribe to.
SUBSCRIBED = (*TOPICS, *(with_transport(topic, COMPRESSED) for topic in IMAGES))


class StereoInputs:
    """Subscriptions that hand every message to on_message(topic key, message), each once.

    transport `auto` takes what is published of each image: raw before compressed until a message came, then what it
    has as long as that is published. `topics` are the names that are subscribed at the moment, by key.
    on_incompatible(topic key, text) is called when a publisher offers a QoS that does not match.
    """

    def __init__(
        self,
        node: Node,
        transport: str,
        on_message: Callable[[str, Any], None],
        on_incompatible: Callable[[str, str], None],
    ) -> None:
        self._node, self._choice = node, transport
        self._on_message, self._on_incompatible = on_message, on_incompatible
        # Remapped first; the transport's name is added to that.
        self._base = {key: node.resolve_topic_name(key) for key in TOPICS}
        self._transports = dict.fromkeys(IMAGES, RAW if transport == AUTO else transport)
        self.topics = {key: with_transport(name, self._transports.get(key, RAW)) for key, name in self._base.items()}
        self._subscriptions: dict[str, list[Any]] = {key: [] for key in TOPICS}
        self._arrived: set[str] = set()
        self._copies: dict[str, _Once] = {}
        self._timer: Any = None

    def subscribe(self) -> None:
        """Create the subscriptions; call destroy if that fails."""
        for key in TOPICS:
            self._open(key)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self._node.create_timer(LOOK_S, self._look, clock=steady)

    def _open(self, key: str) -> None:
        if key in INFOS:
            self._copies[key] = _Once()
            self._add(key, CameraInfo, lambda info: self._on_info(key, info, 0))
        else:
            kind = CompressedImage if self._transports[key] == COMPRESSED else Image
            self._add(key, kind, lambda image: self._on_image(key, image))

    def _add(self, key: str, kind: type, callback: Callable[[Any], Any]) -> None:
        events = SubscriptionEventCallbacks(incompatible_qos=lambda event: self._explain(key, event))
        subscription = self._node.create_subscription(
            kind,
            self.topics[key],
            callback,
            copy(INPUT_QOS),  # rclpy writes overrides into what it is given
            event_callbacks=events,
            qos_overriding_options=override_options(),
        )
        self._subscriptions[key].append(subscription)

    def _on_info(self, key: str, info: CameraInfo, way: int) -> None:
        if self._copies[key].is_new(info, way):
            self._on_message(key, info)

    def _on_image(self, key: str, message: Any) -> None:
        self._arrived.add(key)
        self._on_message(key, message)

    def _look(self) -> None:
        for key in INFOS:
            if len(self._subscriptions[key]) == 1 and self._is_latched(key):
                self._add_latched(key)
        if self._choice == AUTO:
            self._follow()

    def _is_latched(self, key: str) -> bool:
        infos = self._node.get_publishers_info_by_topic(self.topics[key])
        return any(info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for info in infos)

    def _add_latched(self, key: str) -> None:
        """A second subscription, for what was published before: none fits other publishers too and gets that as well.

        Only where somebody latches: other publishers would log a warning about it.
        """
        silent = SubscriptionEventCallbacks(use_default_callbacks=False)
        subscription = self._node.create_subscription(
            CameraInfo, self.topics[key], lambda info: self._on_info(key, info, 1), LATCHED_QOS, event_callbacks=silent
        )
        self._subscriptions[key].append(subscription)

    def _follow(self) -> None:
        """Subscribe to what is published of each image."""
        for key in IMAGES:
            published = self._published(key)
            now = self._transports[key]
            if not published or published[0] == now or (key in self._arrived and now in published):
                continue
            self._close(key)
            self._arrived.discard(key)
            self._transports[key] = published[0]
            self.topics = self.topics | {key: with_transport(self._base[key], published[0])}
            self._open(key)
            self._node.get_logger().info(f"{self.topics[key]} is published: subscribed to it")

    def _published(self, key: str) -> list[str]:
        """Transports of an image that somebody publishes, raw first."""
        names = {transport: with_transport(self._base[key], transport) for transport in (RAW, COMPRESSED)}
        return [transport for transport, name in names.items() if self._node.count_publishers(name)]

    def _explain(self, key: str, event: QoSRequestedIncompatibleQoSInfo) -> None:
        policy = qos_policy_name_from_kind(event.last_policy_kind)
        self._on_incompatible(
            key,
            f"a publisher on {self.topics[key]} offers an incompatible QoS ({policy}), its messages do not arrive; "
            f"change its {policy} or set qos_overrides.{self.topics[key]}.subscription in the params_file",
        )

    def explain_publishers(self, arrived: Collection[str]) -> list[str]:
        """What DDS knows of those who should send: who is missing, who is mute. arrived: keys that had a message."""
        published = {key: self._node.count_publishers(name) > 0 for key, name in self.topics.items()}
        texts = []
        if orphans := [name for key, name in self.topics.items() if not published[key]]:
            texts.append(f"nobody publishes {', '.join(orphans)}: check names and remaps")
        for key in IMAGES:
            if not published[key] and (others := self._published(key)):
                name = with_transport(self._base[key], others[0])
                texts.append(f"{name} is published: set image_transport to {others[0]}, or to auto")
        mute = [key for key in self.topics if published[key] and key not in arrived]
        lost = [key for key in mute if dict(zip(IMAGES, INFOS, strict=True)).get(key) in arrived]
        if lost:
            texts.append(f"{self._names(lost)}: published but none arrives; {LOST_ON_THE_WAY}")
        if waiting := [key for key in mute if key not in lost]:
            texts.append(f"{self._names(waiting)}: the publishers have sent nothing yet; is the driver streaming?")
        return texts

    def _names(self, keys: list[str]) -> str:
        return ", ".join(self.topics[key] for key in keys)

    def _close(self, key: str) -> None:
        while self._subscriptions[key]:
            self._node.destroy_subscription(self._subscriptions[key].pop())

    def destroy(self) -> None:
        """Take the subscriptions down."""
        if self._timer:
            self._node.destroy_timer(self._timer)
            self._timer = None
        for key in TOPICS:
            self._close(key)


class _Once:
    """Tells a camera_info that already came by the other one of two subscriptions."""

    def __init__(self) -> None:
        self._seen: tuple[deque, deque] = (deque(maxlen=REMEMBERED), deque(maxlen=REMEMBERED))

    def is_new(self, info: CameraInfo, way: int) -> bool:
        """Whether this message did not come by the other way (0 or 1) yet."""
        stamp = (info.header.stamp.sec, info.header.stamp.nanosec)
        if stamp in self._seen[1 - way]:
            self._seen[1 - way].remove(stamp)
            return False
        self._seen[way].append(stamp)
        return True
