# SPDX-License-Identifier: Apache-2.0
"""Tell systemd that the node is up and lives (Type=notify, WatchdogSec); nothing where systemd does not ask."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from .diagnostics import Health, status
from .statistics import Snapshot, Statistics

INTERVAL_S = 1.0
# Losses by which a node that no longer works shows; all other causes are the fault of what came.
OWN_FAULTS = ("internal error", "superseded")


def notify(address: str, *lines: str) -> None:
    """Send one datagram as sd_notify(3) does. address: a path, or "@name" of an abstract socket. Raises OSError."""
    target = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto("\n".join(lines).encode(), target)


class Liveness:
    """Whether the node does its part: frames that came were done, or none came."""

    def __init__(self) -> None:
        self._done = self._lost = 0

    def ask(self, health: Health, snapshot: Snapshot) -> bool:
        """False while a frame is overdue, and while frames are lost by the node's own fault and none is done.

        Silent inputs, bad messages, outputs that nobody wants and a node that is not active are no fault of its own.
        """
        lost = sum(snapshot.dropped.get(cause, 0) for cause in OWN_FAULTS)
        done = snapshot.answered + sum(snapshot.dropped.values()) - lost
        at_work = health.state == "active" and health.watched and not health.silence
        if health.stuck or (at_work and lost > self._lost and done == self._done):
            return False
        self._done, self._lost = done, lost
        return True


class Watchdog:
    """READY once the executor runs, then WATCHDOG once a second while the node lives; STATUS as in diagnostics."""

    def __init__(self, node: Node, statistics: Statistics, health: Callable[[], Health]) -> None:
        self._node, self._statistics, self._health = node, statistics, health
        self._liveness = Liveness()
        self._ready = False
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        if self._address:
            node.create_timer(INTERVAL_S, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _tick(self) -> None:
        health, snapshot = self._health(), self._statistics.snapshot()
        lines = ["STATUS=" + " ".join(status("", health, snapshot).message.split())]
        if self._liveness.ask(health, snapshot):
            lines.append("WATCHDOG=1")
        if not self._ready:
            lines.append("READY=1")
        try:
            notify(self._address, *lines)
        except OSError as error:
            text = f"systemd was not told that the node lives: {error}; check NOTIFY_SOCKET ({self._address})"
            self._node.get_logger().warning(text, throttle_duration_sec=60.0)
            return
        self._ready = True
