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

from ..bags.writer import BagWriter
from ..messages.definitions import UnknownTypeError, knows_type, message_class
from ..messages.topics import absolute
from .ros import qos, ros_node

_DISCOVERY_PERIOD_S = 0.25
_SUBSCRIPTION_DEPTH = 20
_DRAIN_S = 5.0


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
    """Writes messages to a bag behind a queue that is bounded in bytes; what does not fit is counted as dropped.

    make_writer is called in the thread, since SQLite serves only the thread that opened it. failed is set as soon as
    an error ended the writing; what was written until then is kept as far as the writer keeps it. Raises what
    make_writer raises.
    """

    def __init__(self, make_writer: Callable[[], BagWriter], queue_bytes: int) -> None:
        self.limit = queue_bytes
        self.dropped: dict[str, int] = {}
        self.failed = threading.Event()
        self._error: Exception | None = None
        self._make_writer = make_writer
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[tuple[str, str, bool, int, bytes] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="bag-writer")
        self._open = threading.Event()
        self._thread.start()
        self._open.wait()
        if self.failed.is_set():
            self.finish()

    def put(self, topic: str, msgtype: str, latched: bool, time_ns: int, data: bytes) -> None:
        """Queue one message, or count it as dropped when the queue is full."""
        with self._lock:
            if self._waiting_bytes + len(data) > self.limit:
                self.dropped[topic] = self.dropped.get(topic, 0) + 1
                return
            self._waiting_bytes += len(data)
        self._queue.put((topic, msgtype, latched, time_ns, data))

    def finish(self) -> None:
        """Write what is queued, finish the bag and end the thread. Raises the error that writing met, if any."""
        self._queue.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            with self._make_writer() as writer:
                self._open.set()
                while (item := self._queue.get()) is not None:
                    self._write(writer, *item)
        except Exception as error:  # raised by finish(), in the main thread
            self._error = error
            self.failed.set()
            self._open.set()

    def _write(self, writer: BagWriter, topic: str, msgtype: str, latched: bool, time_ns: int, data: bytes) -> None:
        if not writer.has_topic(topic):
            writer.add_topic(topic, msgtype, latched=latched)
        writer.write(topic, time_ns, data)
        with self._lock:
            self._waiting_bytes -= len(data)


class Recorder:
    """Subscribes to topics as their publishers appear, with the publishers' own QoS."""

    def __init__(self, node: Node, sink: WriterThread, names: tuple[str, ...]) -> None:
        self.node, self.sink = node, sink
        self.names = {absolute(name) for name in names}
        self.subscribed: dict[str, Any] = {}
        self.received = 0

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
        self.received += 1
        self.sink.put(topic, msgtype, latched, received_ns or time.time_ns(), data)


def _callback(receive: Callable[[bytes, int], None]) -> Callable[..., None]:
    """A subscription callback; from Iron on it is told when DDS received the message, before that 0."""
    if hasattr(Subscription, "CallbackType"):
        return lambda data, info: receive(data, info["received_timestamp"])
    return lambda data: receive(data, 0)


def record(out: Path, options: RecordOptions, stop: threading.Event) -> dict[str, int]:
    """Record until `stop` is set or the duration is over; returns the dropped messages by topic.

    The bag is whole when this returns, and when it raises DiskFullError, which it does as soon as the disk is nearly
    full. Raises BagError when nothing was received or the place is taken.
    """
    make_writer = partial(BagWriter, out, options.storage, zstd=options.zstd, overwrite=options.overwrite, keep=True)
    sink = WriterThread(make_writer, options.queue_bytes)
    try:
        with ros_node("depth_replay_recorder") as node:
            print(f"recording into {out}; Ctrl-C ends it", file=sys.stderr, flush=True)
            _spin(node, Recorder(node, sink, options.topics), options.duration_s, stop)
    finally:
        sink.finish()
    return sink.dropped


def _spin(node: Node, recorder: Recorder, duration_s: float, stop: threading.Event) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    began = time.monotonic()
    ends = began + duration_s if duration_s else float("inf")
    next_discovery = began
    while not stop.is_set() and not recorder.sink.failed.is_set() and time.monotonic() < ends:
        if time.monotonic() >= next_discovery:
            recorder.discover()
            next_discovery = time.monotonic() + _DISCOVERY_PERIOD_S
        executor.spin_once(timeout_sec=0.1)
    _drain(executor, recorder)
    executor.shutdown()


def _drain(executor: SingleThreadedExecutor, recorder: Recorder) -> None:
    """Take what had arrived when recording ended: DDS has acknowledged it, so its sender counts it as delivered."""
    until = time.monotonic() + _DRAIN_S
    before = -1
    while recorder.received != before and time.monotonic() < until:
        before = recorder.received
        for _ in recorder.subscribed:
            executor.spin_once(timeout_sec=0)
