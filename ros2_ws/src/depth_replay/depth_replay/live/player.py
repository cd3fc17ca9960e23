# SPDX-License-Identifier: Apache-2.0
"""`play`: publishes a bag through rclpy with its own stamps, at a chosen rate, with /clock and loops."""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, pairwise
from pathlib import Path

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from tqdm import tqdm

from ..bags.bag import BagError, BagMessage, BagTopic, bag_span_ns, bag_topics, read_bag
from ..messages import topics
from ..messages.definitions import (
    CAMERA_INFO,
    COMPRESSED,
    IMAGE,
    UnknownTypeError,
    has_header,
    header_stamp_ns,
    message_class,
)
from ..messages.image_codec import ImageError
from .decode_ahead import DecodeAhead, convert, converts, transported
from .play_report import PlayReport
from .ros import qos, ros_node

CLOCK = "rosgraph_msgs/msg/Clock"
# The writer sees a reader before the reader knows the writer; a frame in between would be lost.
DISCOVERY_SETTLE_S = 0.7
# Best-effort readers acknowledge nothing, and what they have not taken goes with its writer.
LINGER_S = 1.0
# The frame interval is the median over this many frames at the start.
_INTERVAL_FRAMES = 100


@dataclass(frozen=True)
class PlayOptions:
    """How a bag is played. loops 0 = until stopped; clock_hz 0 = no /clock; hz overrides rate."""

    rate: float = 1.0
    hz: float | None = None
    loops: int = 1
    clock_hz: float = 0.0
    transport: str = "as-recorded"
    topics: tuple[str, ...] = ()
    remaps: dict[str, str] = field(default_factory=dict)
    wait_for_subscribers_s: float = 0.0
    start_delay_s: float = 0.0
    best_effort: bool = False


def is_camera(topic: str, msgtype: str) -> bool:
    """Whether a topic carries camera images or their calibration, not truth."""
    return msgtype in (IMAGE, COMPRESSED, CAMERA_INFO) and not topic.startswith(topics.TRUTH_PREFIX)


def frame_topic(cameras: Collection[str]) -> str:
    """The topic whose messages are the frames: the left image, else the first image, else the first camera topic."""

    def order(name: str) -> tuple[bool, bool, str]:
        return topics.base(name) != topics.LEFT_IMAGE, name.endswith("camera_info"), name

    return min(cameras, key=order, default="")


def selected_topics(path: Path, options: PlayOptions) -> dict[str, BagTopic]:
    """Topics of the bag that will be played, by recorded name.

    A name in options.topics may be the recorded one, or that of the image it is the compressed form of. Raises
    BagError for a name that the bag does not have.
    """
    found = bag_topics(path)
    if not options.topics:
        return found
    wanted = [topics.absolute(name) for name in options.topics]
    missing = [name for name in wanted if not {name, topics.compressed(name)} & set(found)]
    if missing:
        raise BagError(f"expected the topics {missing} in {path}, got {sorted(found)}")
    return {name: t for name, t in found.items() if name in wanted or topics.base(name) in wanted}


class Player:
    """Publishes the chosen topics of one bag on a node."""

    def __init__(self, node: Node, path: Path, options: PlayOptions) -> None:
        self.node, self.path, self.options = node, path, options
        self.report = PlayReport()
        self.recorded = selected_topics(path, options)
        self.publishers: dict[str, Publisher] = {}
        self._told: set[str] = set()
        self.cameras: set[str] = set()
        self.stamped: set[str] = set()
        for topic in self.recorded.values():
            self._advertise(topic)
        if not self.publishers:
            raise BagError(f"expected topics to play in {path}, got none whose message type is installed")
        self.frame_topic = frame_topic(self.cameras & self.stamped)
        self.clock = node.create_publisher(message_class(CLOCK), "/clock", 1) if options.clock_hz else None
        self._next_clock_ns = 0
        self._measure()

    def _advertise(self, topic: BagTopic) -> None:
        name, msgtype = transported(topic.name, topic.msgtype, self.options.transport)
        if (name, msgtype) != (topic.name, topic.msgtype) and not self._converts(topic.name):
            name, msgtype = topic.name, topic.msgtype
        try:
            kind = message_class(msgtype)
        except UnknownTypeError as error:
            print(f"{topic.name} is not played: {error}", file=sys.stderr)
            return
        profile = qos(latched=topic.latched, reliable=not self.options.best_effort)
        self.publishers[name] = self.node.create_publisher(kind, topics.renamed(name, self.options.remaps), profile)
        if is_camera(name, msgtype):
            self.cameras.add(name)
        if has_header(msgtype):
            self.stamped.add(name)

    def _converts(self, name: str) -> bool:
        """Whether the first message of a topic of images takes the chosen transport; numbers (32FC1 ..) stay raw."""
        first = next(read_bag(self.path, {name}), None)
        return first is None or converts(first)

    def _measure(self) -> None:
        """Start, length and frame interval of the bag in bag nanoseconds, and from them the rate."""
        self.start_ns, end_ns = bag_span_ns(self.path)
        cameras = {name for name, topic in self.recorded.items() if is_camera(name, topic.msgtype)}
        main = frame_topic(cameras) or next(iter(self.recorded))
        times = [m.time_ns for m in islice(read_bag(self.path, {main}), _INTERVAL_FRAMES)]
        steps = [b - a for a, b in pairwise(times)]
        self.interval_ns = statistics.median(steps) if steps else 100_000_000
        self.loop_ns = end_ns - self.start_ns + self.interval_ns
        self.rate = self.options.hz * self.interval_ns / 1e9 if self.options.hz else self.options.rate
        self.report.tolerance_ns = round(self.interval_ns / 2)

    def wait_for_subscribers(self, stop: threading.Event) -> None:
        """Wait until every camera topic (without cameras: every topic) is subscribed, and discovery has settled.

        Raises TimeoutError naming the topics that nobody subscribed in time.
        """
        names = self.cameras or set(self.publishers)
        until = time.monotonic() + self.options.wait_for_subscribers_s
        while missing := sorted(n for n in names if not self.publishers[n].get_subscription_count()):
            if time.monotonic() > until:
                raise TimeoutError(
                    f"expected subscribers on {missing} within {self.options.wait_for_subscribers_s:g} s, got none; "
                    "start the node first, check names and --remap, ROS_DOMAIN_ID and the transport"
                )
            if stop.wait(0.05):
                return
        stop.wait(DISCOVERY_SETTLE_S)

    def run(self, stop: threading.Event) -> PlayReport:
        """Play all loops, or until `stop` is set."""
        began_ns, loop = time.monotonic_ns(), 0
        while not stop.is_set() and (self.options.loops == 0 or loop < self.options.loops):
            with DecodeAhead(partial(read_bag, self.path, set(self.recorded)), self._convert) as source:
                source.wait_until_ready()
                if loop == 0:
                    began_ns = time.monotonic_ns()
                else:
                    # The gap of one frame belongs to the loop before: its clock runs on until the new one starts.
                    self._sleep_until(self._loop_start(began_ns, loop), self._loop_start(began_ns, loop - 1), stop)
                self._play_once(source, self._loop_start(began_ns, loop), loop, stop)
            loop += 1
        self.report.seconds = (time.monotonic_ns() - began_ns) / 1e9
        for publisher in self.publishers.values():
            publisher.wait_for_all_acked(Duration(seconds=2.0))
        stop.wait(LINGER_S)
        return self.report

    def _loop_start(self, began_ns: int, loop: int) -> int:
        return began_ns + round(loop * self.loop_ns / self.rate)

    def _convert(self, message: BagMessage) -> BagMessage:
        """In the chosen transport; as it is, which nobody publishes then, where an image does not decode."""
        try:
            return convert(message, self.options.transport)
        except ImageError as error:
            if message.topic not in self._told:
                self._told.add(message.topic)
                print(f"images that do not decode are not played: {error}", file=sys.stderr)
            return message

    def _play_once(self, source: DecodeAhead, began_ns: int, loop: int, stop: threading.Event) -> None:
        total = sum(topic.count for topic in self.recorded.values())
        with tqdm(total=total, desc=f"play {loop + 1}", unit="msg", mininterval=1.0) as bar:
            for message in source:
                due_ns = began_ns + round((message.time_ns - self.start_ns) / self.rate)
                self._sleep_until(due_ns, began_ns, stop)
                if stop.is_set():
                    return
                self._publish(message, loop, due_ns)
                bar.update()

    def _sleep_until(self, due_ns: int, began_ns: int, stop: threading.Event) -> None:
        """Sleep until a monotonic time, publishing /clock on the way."""
        while not stop.is_set():
            now_ns = time.monotonic_ns()
            if self.clock and now_ns >= self._next_clock_ns:
                self._publish_clock(self.clock, self.start_ns + round((now_ns - began_ns) * self.rate))
                self._next_clock_ns = now_ns + round(1e9 / self.options.clock_hz)
            if now_ns >= due_ns:
                return
            wake_ns = min(due_ns, self._next_clock_ns) if self.clock else due_ns
            stop.wait((wake_ns - now_ns) / 1e9)

    def _publish_clock(self, publisher: Publisher, bag_ns: int) -> None:
        """Bag time; while a late loop is waited for it stands still at the end of the one before."""
        clock = message_class(CLOCK)()
        clock.clock.sec, clock.clock.nanosec = divmod(min(max(bag_ns, 0), self.start_ns + self.loop_ns), 1_000_000_000)
        publisher.publish(clock)

    def _publish(self, message: BagMessage, loop: int, due_ns: int) -> None:
        publisher = self.publishers.get(message.topic)
        if publisher is None:
            return
        publisher.publish(message.data)
        report = self.report
        report.messages += 1
        report.topics[message.topic] = report.topics.get(message.topic, 0) + 1
        report.latest_ms = max(report.latest_ms, (time.monotonic_ns() - due_ns) / 1e6)
        if message.topic == self.frame_topic:
            report.add_frame(header_stamp_ns(message.data), loop, time.time_ns())
        elif message.topic in self.cameras and message.topic in self.stamped:
            report.belongs(header_stamp_ns(message.data), time.time_ns())


def play(path: Path, options: PlayOptions, stop: threading.Event) -> PlayReport:
    """Play a bag to the end, or until `stop` is set."""
    with ros_node("depth_replay_player") as node:
        player = Player(node, path, options)
        if options.wait_for_subscribers_s > 0:
            player.wait_for_subscribers(stop)
        stop.wait(options.start_delay_s)
        return player.run(stop)
