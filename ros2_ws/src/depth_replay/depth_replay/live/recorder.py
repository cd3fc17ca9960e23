# SPDX-License-Identifier: Apache-2.0
"""`record`: topics as serialised bytes into a bag, with the time at which DDS received each message."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from rclpy.subscription import Subscription

from ..bags.bag import BagWriter
from ..messages.definitions import UnknownTypeError, knows_type, message_class
from ..messages.topics import absolute
from .ros import qos, ros_node, stop_event

_DISCOVERY_PERIOD_S = 0.25
_SUBSCRIPTION_DEPTH = 20


@dataclass(frozen=True)
class RecordOptions:
    """What is recorded. topics empty = all; duration_s 0 = until stopped; queue_bytes bounds the memory."""

    topics: tuple[str, ...] = ()
    duration_s: float = 0.0
    storage: str = "mcap"
    zstd: bool = False
    overwrite: bool = False
    queue_bytes: int = 512 * 1024 * 1024


class WriterThread:
    """Writes messages to a bag behind a queue that is bounded in bytes; what does not fit is counted as dropped."""

    def __init__(self, writer: BagWriter, queue_bytes: int) -> None:
        self.writer, self.limit = writer, queue_bytes
        self.dropped: dict[str, int] = {}
        self.error: Exception | None = None
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[tuple[str, str, bool, int, bytes] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="bag-writer")
        self._thread.start()

    def put(self, topic: str, msgtype: str, latched: bool, time_ns: int, data: bytes) -> None:
        """Queue one message, or count it as dropped when the queue is full."""
        with self._lock:
            if self._waiting_bytes + len(data) > self.limit:
                self.dropped[topic] = self.dropped.get(topic, 0) + 1
                return
            self._waiting_bytes += len(data)
        self._queue.put((topic, msgtype, latched, time_ns, data))

    def finish(self) -> None:
        """Write what is queued and end the thread. Raises the error that writing met, if any."""
        self._queue.put(None)
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            topic, msgtype, latched, time_ns, data = item
            if self.error is None:
                try:
                    if not self.writer.has_topic(topic):
                        self.writer.add_topic(topic, msgtype, latched=latched)
                    self.writer.write(topic, time_ns, data)
                except Exception as error:  # raised by finish(), in the main thread
                    self.error = error
            with self._lock:
                self._waiting_bytes -= len(data)


class Recorder:
    """Subscribes to topics as their publishers appear, with the publishers' own QoS."""

    def __init__(self, node: Node, sink: WriterThread, names: tuple[str, ...]) -> None:
        self.node, self.sink = node, sink
        self.names = {absolute(name) for name in names}
        self.subscribed: dict[str, Any] = {}

    def discover(self) -> None:
        """Subscribe to wanted topics that have a publisher and are not subscribed yet."""
        for topic, kinds in self.node.get_topic_names_and_types():
            if topic not in self.subscribed and (not self.names or topic in self.names):
                self._subscribe(topic, kinds[0])

    def _subscribe(self, topic: str, msgtype: str) -> None:
        publishers = [info.qos_profile for info in self.node.get_publishers_info_by_topic(topic)]
        if not publishers:
            return
        self.subscribed[topic] = None
        try:
            kind = message_class(msgtype)
        except UnknownTypeError as error:
            print(f"{topic} is not recorded: {error}", file=sys.stderr, flush=True)
            return
        if not knows_type(msgtype):
            print(f"{topic} is not recorded: no definition of {msgtype}; source its workspace", file=sys.stderr)
            return
        latched = all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in publishers)
        reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in publishers)
        profile = qos(latched=latched, reliable=reliable, depth=_SUBSCRIPTION_DEPTH)
        receive = partial(self._receive, topic, msgtype, latched)
        self.subscribed[topic] = self.node.create_subscription(kind, topic, _callback(receive), profile, raw=True)
        print(f"recording {topic} ({msgtype})", file=sys.stderr, flush=True)

    def _receive(self, topic: str, msgtype: str, latched: bool, data: bytes, received_ns: int) -> None:
        self.sink.put(topic, msgtype, latched, received_ns or time.time_ns(), data)


def _callback(receive: Callable[[bytes, int], None]) -> Callable[..., None]:
    """A subscription callback; from Iron on it is told when DDS received the message, before that 0."""
    if hasattr(Subscription, "CallbackType"):
        return lambda data, info: receive(data, info["received_timestamp"])
    return lambda data: receive(data, 0)


def record(out: Path, options: RecordOptions) -> dict[str, int]:
    """Record until SIGINT, SIGTERM or the duration is over; returns the dropped messages by topic.

    The bag is whole when this returns. Raises BagError when nothing was received.
    """
    with (
        stop_event() as stop,
        BagWriter(out, options.storage, zstd=options.zstd, overwrite=options.overwrite) as writer,
    ):
        sink = WriterThread(writer, options.queue_bytes)
        try:
            with ros_node("depth_replay_recorder") as node:
                _spin(node, Recorder(node, sink, options.topics), options.duration_s, stop)
        finally:
            sink.finish()
        return sink.dropped


def _spin(node: Node, recorder: Recorder, duration_s: float, stop: threading.Event) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    began = time.monotonic()
    next_discovery = began
    while not stop.is_set() and not (duration_s and time.monotonic() - began > duration_s):
        if time.monotonic() >= next_discovery:
            recorder.discover()
            next_discovery = time.monotonic() + _DISCOVERY_PERIOD_S
        executor.spin_once(timeout_sec=0.1)
    executor.shutdown()
