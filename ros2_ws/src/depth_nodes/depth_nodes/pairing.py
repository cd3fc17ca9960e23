# SPDX-License-Identifier: Apache-2.0
"""Pair left and right images with their camera_infos by stamp; everything that is lost has a count and a reason."""

from __future__ import annotations

from collections import deque
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
    newest_ns: int | None = None
    arrived_s: float | None = None
    latest: Any = None

    def take(self, stamp_ns: int) -> Any:
        """Remove the message of this stamp; what arrived before it will never be paired and is counted."""
        while True:
            stamp, message = self.waiting.popleft()
            if stamp == stamp_ns:
                return message
            self.unpaired += 1

    def nearest(self, stamp_ns: int, tolerance_ns: int) -> int | None:
        """Stamp of the waiting message closest to stamp_ns, None if none is within the tolerance."""
        stamp = min((s for s, _ in self.waiting), key=lambda s: abs(s - stamp_ns), default=None)
        return stamp if stamp is not None and abs(stamp - stamp_ns) <= tolerance_ns else None


class PairMatcher:
    """Matches messages by stamp: equal stamps, or the nearest ones within a tolerance.

    tolerance_ns 0 asks for equal stamps. With cache_info the newest camera_info of each side counts, whatever its
    stamp. A stamp that runs back by more than JUMP_BACK_NS clears everything that waits. Not thread-safe.
    """

    def __init__(self, tolerance_ns: int = 0, cache_info: bool = False) -> None:
        self.tolerance_ns = tolerance_ns
        self.cache_info = cache_info
        self.topics = {topic: TopicState() for topic in TOPICS}
        self.jumps = 0
        self.pairs = 0

    def add(self, topic: str, stamp_ns: int, message: Any, now_s: float) -> StereoPair | None:
        """Take a message in; the pair that it completes, if any. now_s is a monotonic time."""
        state = self.topics[topic]
        cached = self.cache_info and topic in INFOS
        if not cached and state.newest_ns is not None and stamp_ns < state.newest_ns - JUMP_BACK_NS:
            self.clear()
            self.jumps += 1
        state.newest_ns = max(stamp_ns, state.newest_ns or stamp_ns)
        state.received += 1
        state.arrived_s, state.latest = now_s, message
        if not cached:
            state.waiting.append((stamp_ns, message))
            if len(state.waiting) > WAITING_ROOM:
                state.waiting.popleft()
                state.unpaired += 1
        return self._match(topic, stamp_ns)

    def clear(self) -> None:
        """Forget what waits (after a jump in time); the counts stay, latest camera_infos too."""
        for state in self.topics.values():
            state.unpaired += len(state.waiting)
            state.waiting.clear()
            state.newest_ns = None

    def _match(self, topic: str, stamp_ns: int) -> StereoPair | None:
        stamped = [t for t in TOPICS if not (self.cache_info and t in INFOS)]
        if any(self.topics[t].latest is None for t in TOPICS):
            return None
        pivot = stamp_ns if topic == LEFT else self.topics[LEFT].nearest(stamp_ns, self.tolerance_ns)
        if pivot is None:
            return None
        near = {t: self.topics[t].nearest(pivot, self.tolerance_ns) for t in stamped}
        stamps = {t: stamp for t, stamp in near.items() if stamp is not None}
        if len(stamps) < len(stamped):
            return None
        messages = {t: self.topics[t].take(stamps[t]) if t in stamps else self.topics[t].latest for t in TOPICS}
        self.pairs += 1
        return StereoPair(pivot, messages)


def explain_silence(matcher: PairMatcher, now_s: float, patience_s: float) -> str:
    """Why no pair came lately: which topics are silent, or by how much their stamps miss each other."""
    silent = [t for t, s in matcher.topics.items() if s.arrived_s is None]
    stale = [
        f"{t} (last message {now_s - s.arrived_s:.1f} s ago)"
        for t, s in matcher.topics.items()
        if s.arrived_s is not None and now_s - s.arrived_s > patience_s
    ]
    if silent:
        return "no message yet on " + ", ".join(silent)
    if stale:
        return "no message any more on " + ", ".join(stale)
    return _explain_stamps(matcher)


def _explain_stamps(matcher: PairMatcher) -> str:
    newest = {t: s.newest_ns for t, s in matcher.topics.items() if s.newest_ns is not None}
    offsets = ", ".join(
        f"{t} {(newest[t] - newest[LEFT]) / 1e6:+.3f} ms"
        for t in (RIGHT, LEFT_INFO, RIGHT_INFO)
        if t in newest and LEFT in newest
    )
    if newest.get(LEFT) == newest.get(RIGHT) and not matcher.cache_info:
        advice = "set cache_camera_info if the calibration never changes, or stamp camera_info like its image"
    else:
        advice = (
            "set approximate_sync with a tolerance if the cameras are triggered together, or fix their stamps; "
            "if single images get lost on the way, start the drivers with depth_bringup's DDS profile"
        )
    return f"messages arrive on all topics, but their stamps do not match (newest against {LEFT}: {offsets}); {advice}"
