# SPDX-License-Identifier: Apache-2.0
"""Watches a running node: explains silence and problems in the log, publishes diagnostics."""

from __future__ import annotations

import time
from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from .diagnostics import Health, all_warnings, status
from .log_limit import NEW_TEXT_S, REPEAT_S, LogLimit
from .statistics import Statistics

INTERVAL_S = 1.0


class Monitor:
    """Health of one node, asked for by health() and published once a second under `node: subject`."""

    def __init__(self, node: Node, subject: str, health: Callable[[], Health]) -> None:
        self._node, self._health = node, health
        self._name = f"{node.get_fully_qualified_name()}: {subject}"
        self.statistics = Statistics()
        self.failure = ""
        self._limit = LogLimit()
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Steady time: with use_sim_time a missing /clock must not silence the one who explains silence.
        self._timer = node.create_timer(INTERVAL_S, self.publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def fail(self, text: str) -> None:
        """The node could not change its state; shown until it could."""
        self.failure = text
        self._node.get_logger().error(text)

    def problem(self, cause: str, text: str) -> None:
        """A frame was lost for a reason that somebody should mend."""
        self.statistics.drop(cause, text)
        self._log(cause, f"frame lost ({cause}): {text}")

    def incompatible(self, topic: str, text: str) -> None:
        """A publisher's QoS does not match ours."""
        self.statistics.drop("incompatible QoS", text)
        self._log(f"qos {topic}", text)

    def publish(self) -> None:
        """Publish the node's status, and log what lasts."""
        health, snapshot = self._health(), self.statistics.snapshot()
        for cause, text in (("stuck", health.stuck), ("silence", health.silence)):
            if text:
                self._log(cause, text, REPEAT_S)
        for text in all_warnings(health, snapshot):
            self._log("warning", text, 0.0)
        array = DiagnosticArray(status=[status(self._name, health, snapshot)])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)

    def _log(self, cause: str, text: str, new_text_s: float = NEW_TEXT_S) -> None:
        if self._limit.allows(cause, text, time.monotonic(), new_text_s):
            self._node.get_logger().warning(text)
