# SPDX-License-Identifier: Apache-2.0
"""Asks a stereo node how far it is, and the graph who listens."""

from __future__ import annotations

from collections.abc import Iterable

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.node import Node

from ..messages import topics

_NODE = "stereo_node"


class NodeFailedError(RuntimeError):
    """The node runs but could not be configured; the message is the node's own."""


class NodeWatch:
    """Watches the start of a stereo node from another node."""

    def __init__(self, watcher: Node) -> None:
        self._watcher = watcher
        self._failure = ""
        self._client = watcher.create_client(GetState, f"/{_NODE}/get_state")
        watcher.create_subscription(DiagnosticArray, topics.DIAGNOSTICS, self._on_diagnostics, 10)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            state = {pair.key: pair.value for pair in status.values}.get("state")
            if _NODE in status.name and status.level == DiagnosticStatus.ERROR and state != "active":
                self._failure = status.message

    def is_active(self) -> bool:
        """Whether the node has reached the active state.

        Raises NodeFailedError when it says that it cannot.
        """
        rclpy.spin_once(self._watcher, timeout_sec=0.1)
        if self._failure:
            raise NodeFailedError(f"expected an active {_NODE}, but it could not be configured: {self._failure}")
        if not self._client.service_is_ready():
            return False
        future = self._client.call_async(GetState.Request())
        rclpy.spin_until_future_complete(self._watcher, future, timeout_sec=2.0)
        return future.done() and future.result().current_state.id == State.PRIMARY_STATE_ACTIVE

    def all_heard(self, names: Iterable[str]) -> bool:
        """Whether disparity is offered and each offered topic of `names` has a subscriber besides this watcher."""
        offered = [name for name in names if self._watcher.count_publishers(name)]
        own = {topics.DIAGNOSTICS: 1}
        return topics.DISPARITY in offered and all(
            self._watcher.count_subscribers(name) > own.get(name, 0) for name in offered
        )
