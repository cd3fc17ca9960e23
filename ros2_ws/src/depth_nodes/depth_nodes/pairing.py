# SPDX-License-Identifier: Apache-2.0
"""Pair left and right images with their camera_infos by stamp; everything that is lost has a count and a reason."""

from __future__ import annotations

import statistics
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

LEFT, RIGHT = "left/image_rect", "right/image_rect"
LEFT_INFO, RIGHT_INFO = "left/camera_info", "right/camera_info"
TOPICS = (LEFT, RIGHT, LEFT_INFO, RIGHT_INFO)
IMAGES = (LEFT, RIGHT)
INFOS = (LEFT_INFO, RIGHT_INFO)

# A stamp this far behind the newest one of its topic means that time was set back (a bag loop), not disorder.
JUMP_BACK_NS = 500_000_000
# Messages kept per topic while they wait for their partners.
WAITING_ROOM = 8
# Intervals between stamps of a topic that are remembered.
STEPS = 8


@dataclass
class StereoPair:
    """Four messages that belong together; stamp_ns is the left image's."""

    stamp_ns: int
    messages: dict[str, Any]


@dataclass
class TopicState:
    """What is known of one topic: messages that wait for partners, and counts."""

    waiting: deque[tuple[int, Any]] = field(default_factory=deque)
    received: int = 0
    unpaired: int = 0
    repeated: int = 0
    newest_ns: int | None = None
    arrived_s: float | None = None
    latest: Any = None
    steps: deque[int] = field(default_factory=lambda: deque(maxlen=STEPS))

    def note_stamp(self, stamp_ns: int) -> None:
        """Remember how far a stamp is from the newest one so far, and whether it repeats that."""
        if self.newest_ns is None:
            self.newest_ns = stamp_ns
            return
        if stamp_ns == self.newest_ns:
            self.repeated += 1
        elif stamp_ns > self.newest_ns:
            self.steps.append(stamp_ns - self.newest_ns)
            self.newest_ns = stamp_ns

    def period_ns(self) -> int | None:
        """Usual interval between stamps, None before there were two."""
        return round(statistics.median(self.steps)) if self.steps else None

    def take(self, stamp_ns: int) -> Any:
        """Remove the message of this stamp; what arrived before it will never be paired and is counted."""
        while True:
            stamp, message = self.waiting.popleft()
            if stamp == stamp_ns:
                return message
            self.unpaired += 1

    def nearest(self, stamp_ns: int, tolerance_ns: int) -> int | None:
        """Stamp of the waiting message closest to stamp_ns, None if none is within the tolerance."""
        if self.waiting and self.waiting[-1][0] == stamp_ns:  # as nearly always
            return stamp_ns
        stamp = min((s for s, _ in self.waiting), key=lambda s: abs(s - stamp_ns), default=None)
        return stamp if stamp is not None and abs(stamp - stamp_ns) <= tolerance_ns else None

    def may_still_be_nearer(self, stamp_ns: int, to_ns: int) -> bool:
        """Whether the next message may lie nearer to to_ns than the one of stamp_ns does.

        Not when the topic has passed to_ns, nor when the distance is less than half of the shortest interval seen.
        """
        passed = self.newest_ns is not None and self.newest_ns >= to_ns
        return not passed and not (self.steps and 2 * (to_ns - stamp_ns) < min(self.steps))


class PairMatcher:
    """Matches messages by stamp: equal stamps, or those that are each other's nearest within a tolerance.

    tolerance_ns 0 asks for equal stamps. With a tolerance nothing is paired that is further apart than half the usual
    interval of its topics, since it is then nearer to another frame, and a message waits as long as a nearer partner
    may come. With cache_info the newest camera_info of each side counts, whatever its stamp. A stamp that runs back by
    more than JUMP_BACK_NS clears everything that waits. Not thread-safe.

    missing counts, by topic, the left images that were given up because that topic had no message for them.
    """

    def __init__(self, tolerance_ns: int = 0, cache_info: bool = False) -> None:
        self.tolerance_ns = tolerance_ns
        self.cache_info = cache_info
        self.topics = {topic: TopicState() for topic in TOPICS}
        self.stamped = IMAGES if cache_info else TOPICS
        self.missing: Counter[str] = Counter()
        self.jumps = 0
        self.pairs = 0

    def add(self, topic: str, stamp_ns: int, message: Any, now_s: float) -> StereoPair | None:
        """Take a message in; the pair that it completes, if any. now_s is a monotonic time."""
        state = self.topics[topic]
        cached = topic not in self.stamped
        if not cached and state.newest_ns is not None and stamp_ns < state.newest_ns - JUMP_BACK_NS:
            self.clear()
            self.jumps += 1
        state.note_stamp(stamp_ns)
        state.received += 1
        state.arrived_s, state.latest = now_s, message
        if not cached:
            state.waiting.append((stamp_ns, message))
            if len(state.waiting) > WAITING_ROOM:
                if topic == LEFT:
                    self._count_missing(state.waiting[0][0])
                state.waiting.popleft()
                state.unpaired += 1
        return self._match(stamp_ns)

    def clear(self) -> None:
        """Forget what waits (after a jump in time); the counts stay, latest camera_infos too."""
        for state in self.topics.values():
            state.unpaired += len(state.waiting)
            state.waiting.clear()
            state.newest_ns = None

    def missing_now(self) -> Counter[str]:
        """`missing`, with the left images that still wait."""
        missing = Counter(self.missing)
        for stamp_ns, _ in self.topics[LEFT].waiting:
            missing.update(self._lacks(stamp_ns))
        return missing

    def _match(self, stamp_ns: int) -> StereoPair | None:
        if any(self.topics[t].latest is None for t in TOPICS):
            return None
        # A message completes the frame of its own stamp, or may end the wait of any older one.
        pivots = [s for s, _ in self.topics[LEFT].waiting] if self.tolerance_ns else [stamp_ns]
        for pivot in pivots:
            stamps = self._partners(pivot)
            if stamps is not None:
                return self._take(pivot, stamps)
        return None

    def _partners(self, pivot: int) -> dict[str, int] | None:
        """Stamp of each stamped topic's message for the left image of this stamp, None while one is missing."""
        stamps = {}
        for topic in self.stamped:
            stamp = self.topics[topic].nearest(pivot, self.tolerance_ns)
            if stamp is None or (stamp != pivot and not self._belong(topic, pivot, stamp)):
                return None
            stamps[topic] = stamp
        return stamps

    def _belong(self, topic: str, pivot: int, stamp: int) -> bool:
        """Whether the left image and the message nearest to it are surely of one frame, though their stamps differ."""
        left, state = self.topics[LEFT], self.topics[topic]
        periods = [p for p in (left.period_ns(), state.period_ns()) if p is not None]
        if 2 * abs(stamp - pivot) > min(periods, default=2 * self.tolerance_ns):
            return False
        if left.nearest(stamp, self.tolerance_ns) != pivot:
            return False
        if stamp < pivot:
            return not state.may_still_be_nearer(stamp, pivot)
        return not left.may_still_be_nearer(pivot, stamp)

    def _take(self, pivot: int, stamps: dict[str, int]) -> StereoPair:
        for stamp, _ in self.topics[LEFT].waiting:
            if stamp == pivot:
                break
            self._count_missing(stamp)
        messages = {t: self.topics[t].take(stamps[t]) if t in stamps else self.topics[t].latest for t in TOPICS}
        self.pairs += 1
        return StereoPair(pivot, messages)

    def _count_missing(self, stamp_ns: int) -> None:
        self.missing.update(self._lacks(stamp_ns))

    def _lacks(self, stamp_ns: int) -> list[str]:
        """The first topic, the right image before the camera_infos, without a message for this left image."""
        for topic in self.stamped:
            if self.topics[topic].nearest(stamp_ns, self.tolerance_ns) is None:
                return [topic]
        return []
