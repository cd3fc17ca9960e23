# SPDX-License-Identifier: Apache-2.0
"""Watches a running stereo node: explains silence and problems in the log, publishes diagnostics."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from depth_runtime.backends import Backend
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from .diagnostics import Health, status
from .inputs import StereoInputs
from .pairing import IMAGES, TOPICS, PairMatcher, explain_silence
from .statistics import Statistics

# Without a pair for this long the node says why; then again at this interval.
PATIENCE_S = 2.0
REPEAT_S = 10.0
LOST_ON_THE_WAY = (
    "images are published but none arrives: Fast DDS's default shared memory is too small for them; start the camera "
    "driver with depth_bringup's config/fastdds.xml (FASTRTPS_DEFAULT_PROFILES_FILE), or set "
    "qos_overrides.TOPIC.subscription.reliability to reliable"
)
# The same cause with other words is told sooner.
NEW_TEXT_S = 1.0


class Monitor:
    """Health of one node; a problem is logged at once and then at most every REPEAT_S seconds."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.statistics = Statistics()
        self.watched = False
        self._state = "unconfigured"
        self._failure = ""
        self._backend: Backend | None = None
        self._settings: Mapping[str, Any] = {"model": "", "backend": ""}
        self._matcher = PairMatcher()
        self._inputs: StereoInputs | None = None
        self._last_pair_s = 0.0
        self._logged: dict[str, tuple[str, float]] = {}
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Steady time: with use_sim_time a missing /clock must not silence the one who explains silence.
        self._timer = node.create_timer(1.0, self._on_timer, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def fail(self, text: str) -> None:
        """The node could not be configured."""
        self._failure = text
        self._node.get_logger().error(text)

    def configured(self, backend: Backend, settings: Mapping[str, Any]) -> None:
        """A network is loaded."""
        self._state, self._failure, self._backend, self._settings = "inactive", "", backend, settings
        if backend.fallback_reason:
            self._node.get_logger().error(backend.fallback_reason)

    def activated(self, matcher: PairMatcher, inputs: StereoInputs) -> None:
        """Messages may come from now on."""
        self._state, self._matcher, self._inputs = "active", matcher, inputs
        self._last_pair_s = time.perf_counter()

    def deactivated(self) -> None:
        """No more messages."""
        self._state, self._inputs = "inactive", None

    def unloaded(self) -> None:
        """The network is gone."""
        self._state, self._backend = "unconfigured", None

    def paired(self, now_s: float) -> None:
        """A pair came at this time.perf_counter()."""
        self._last_pair_s = now_s

    def problem(self, cause: str, text: str) -> None:
        """A frame was lost for a reason that somebody should mend."""
        self.statistics.drop(cause, text)
        self._log(cause, f"frame lost ({cause}): {text}")

    def incompatible(self, topic: str, text: str) -> None:
        """A publisher's QoS does not match ours."""
        self.statistics.drop("incompatible QoS", text)
        self._log(f"qos {topic}", text)

    def _log(self, key: str, text: str) -> None:
        now_s = time.perf_counter()
        last_text, last_s = self._logged.get(key, ("", -REPEAT_S))
        if now_s - last_s >= (REPEAT_S if text == last_text else NEW_TEXT_S):
            self._logged[key] = (text, now_s)
            self._node.get_logger().warning(text)

    def _silence(self) -> str:
        now_s = time.perf_counter()
        if self._inputs is None or now_s - self._last_pair_s < PATIENCE_S:
            return ""
        text = explain_silence(self._matcher, now_s, PATIENCE_S)
        published = {key: self._inputs.publisher_count(key) > 0 for key in TOPICS}
        lost = [key for key in IMAGES if published[key] and self._matcher.topics[key].arrived_s is None]
        for key in TOPICS:
            text = text.replace(key, self._inputs.topics[key])
        orphans = [self._inputs.topics[key] for key in TOPICS if not published[key]]
        if orphans:
            text += f"; nobody publishes {', '.join(orphans)}: check names and remaps"
        return text + (f"; {LOST_ON_THE_WAY}" if lost else "")

    def _on_timer(self) -> None:
        silence = self._silence()
        if silence:
            self._log("silence", f"no stereo pair for {PATIENCE_S:.0f} s: {silence}")
        health = Health(
            state=self._state,
            failure=self._failure,
            silence=silence,
            watched=self.watched,
            backend=self._backend,
            requested_backend=self._settings["backend"],
            model_path=self._settings["model"],
            snapshot=self.statistics.snapshot(),
            matcher=self._matcher,
        )
        array = DiagnosticArray(status=[status(f"{self._node.get_fully_qualified_name()}: stereo", health)])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)
