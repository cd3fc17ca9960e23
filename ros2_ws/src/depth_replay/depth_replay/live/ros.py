# SPDX-License-Identifier: Apache-2.0
"""What the player, the recorder and the demo have in common of rclpy: start and stop, QoS, stop on a signal."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions

from .dds_profile import use_profile

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ros_node(name: str) -> Iterator[Node]:
    """A node in an initialised context; signals stay with the caller, so that files can be finished first."""
    use_profile(os.environ)
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    node = Node(name, enable_rosout=False, start_parameter_services=False)
    try:
        yield node
    finally:
        node.destroy_node()
        rclpy.shutdown()


class StopEvent(threading.Event):
    """Set by SIGINT, SIGTERM and SIGHUP, so that what was begun can be finished first."""

    def __init__(self) -> None:
        super().__init__()
        self._interrupted = False

    def catch(self, number: int, _frame: FrameType | None) -> None:
        """The handler of these signals."""
        self._interrupted |= number == signal.SIGINT
        self.set()

    def end_command(self) -> None:
        """Raises KeyboardInterrupt where Ctrl-C stopped what is finished now: such a command ends with code 130."""
        if self._interrupted:
            raise KeyboardInterrupt


@contextmanager
def stop_event() -> Iterator[StopEvent]:
    """An event that SIGINT, SIGTERM and SIGHUP (a closed terminal) set; the handlers from before return afterwards."""
    event = StopEvent()
    before = {number: signal.signal(number, event.catch) for number in _STOPPING}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def qos(*, latched: bool = False, reliable: bool = True, depth: int = 10) -> QoSProfile:
    """Keep-last QoS; latched is transient local with depth 1."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=1 if latched else depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
