# SPDX-License-Identifier: Apache-2.0
"""What the player, the recorder and the demo share of rclpy: start and stop, QoS, stop on a signal."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def stop_event() -> Iterator[threading.Event]:
    """An event that SIGINT, SIGTERM and SIGHUP (a closed terminal) set; the handlers from before return afterwards."""
    event = threading.Event()
    before = {number: signal.signal(number, lambda *_: event.set()) for number in _STOPPING}
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
