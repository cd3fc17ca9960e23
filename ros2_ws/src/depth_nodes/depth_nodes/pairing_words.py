# SPDX-License-Identifier: Apache-2.0
"""Why pairs do not come, or fewer than images do: in words, from what a PairMatcher has counted."""

from __future__ import annotations

import statistics
from collections import Counter, deque
from dataclasses import dataclass

from .pairing import IMAGES, INFOS, LEFT, RIGHT, STEPS, PairMatcher

# Losses are looked at over this time, and are worth a word from this many messages and from this fraction of them on.
WINDOW_S = 10.0
FEWEST = 5
LOST_FRACTION = 0.25
CACHE_ADVICE = "set cache_camera_info if the calibration never changes, or publish camera_info with every image"


def explain_silence(matcher: PairMatcher, now_s: float, patience_s: float) -> str:
    """Why no pair came lately: which topics are silent, or by how much their stamps miss each other."""
    arrivals = {t: s.arrived_s for t, s in matcher.topics.items() if s.arrived_s is not None}
    if silent := [t for t in matcher.topics if t not in arrivals]:
        return "no message yet on " + ", ".join(silent)
    # A camera_info that is cached may be as old as it likes.
    stale = [t for t in matcher.stamped if now_s - arrivals[t] > patience_s]
    if stale:
        text = "no message any more on " + ", ".join(
            f"{t} (last message {now_s - arrivals[t]:.1f} s ago)" for t in stale
        )
        return f"{text}; {CACHE_ADVICE}" if set(stale) <= set(INFOS) else text
    return _explain_stamps(matcher)


def _explain_stamps(matcher: PairMatcher) -> str:
    offsets = {topic: _offset_ms(matcher, topic) for topic in matcher.stamped if topic != LEFT}
    listed = ", ".join(f"{topic} {ms:+.3f} ms" for topic, ms in offsets.items() if ms is not None)
    if offsets[RIGHT] == 0:
        advice = f"{CACHE_ADVICE}, stamped like its image"
    else:
        advice = (
            "set approximate_sync with a tolerance if the cameras are triggered together, or fix their stamps; "
            "if single images get lost on the way, start the drivers with depth_bringup's DDS profile"
        )
    offsets_text = f"their stamps do not match (against the nearest {LEFT}: {listed})"
    return f"messages arrive on all topics, but {offsets_text}; {advice}"


def _offset_ms(matcher: PairMatcher, topic: str) -> float | None:
    """Usual distance of the messages that wait on a topic from the left image nearest to each."""
    lefts = [s for s, _ in matcher.topics[LEFT].waiting]
    waiting = [s for s, _ in matcher.topics[topic].waiting]
    distances = [min((stamp - left for left in lefts), key=abs) for stamp in waiting if lefts]
    return statistics.median(distances) / 1e6 if distances else None


@dataclass(frozen=True)
class _PairingCounts:
    pairs: int
    received: dict[str, int]
    unpaired: int
    repeated: dict[str, int]
    missing: Counter[str]


class PairingWatch:
    """Looks at a matcher once a second, and says what its settings or its streams make worse than it must be."""

    def __init__(self, matcher: PairMatcher) -> None:
        self._matcher = matcher
        self._past: deque[tuple[float, _PairingCounts]] = deque([(float("-inf"), self._counts())])

    def _counts(self) -> _PairingCounts:
        topics = self._matcher.topics
        return _PairingCounts(
            self._matcher.pairs,
            {t: s.received for t, s in topics.items()},
            topics[LEFT].unpaired,
            {t: s.repeated for t, s in topics.items()},
            Counter(self._matcher.missing),
        )

    def warnings(self, now_s: float) -> list[str]:
        """Sentences about the last WINDOW_S seconds; empty while all is well."""
        while len(self._past) > 1 and self._past[1][0] <= now_s - WINDOW_S:
            self._past.popleft()
        now = self._counts()
        self._past.append((now_s, now))
        then = self._past[0][1]
        texts = (self._tolerance(), self._losses(then, now), *(self._repeats(t, then, now) for t in IMAGES))
        return [text for text in texts if text]

    def _tolerance(self) -> str:
        """The tolerance against the interval between frames."""
        states = [self._matcher.topics[topic] for topic in IMAGES]
        periods = [period for s in states if len(s.steps) == STEPS and (period := s.period_ns()) is not None]
        tolerance_ns = self._matcher.tolerance_ns
        if not periods or 2 * tolerance_ns <= min(periods):
            return ""
        half_s = min(periods) / 2e9
        return (
            f"approximate_sync_tolerance_s is {tolerance_ns / 1e9:g}, more than half of the {2 * half_s:.4f} s between "
            f"frames: images of different frames lie as near as that, so only those up to {half_s:.4f} s apart are "
            f"paired; set it below {half_s:.4f}"
        )

    def _losses(self, then: _PairingCounts, now: _PairingCounts) -> str:
        lost, received = now.unpaired - then.unpaired, now.received[LEFT] - then.received[LEFT]
        if now.pairs == then.pairs or lost < FEWEST or lost < LOST_FRACTION * received:
            return ""  # without any pair it is silence, which is explained elsewhere
        text = f"{lost} of {received} messages of {LEFT} found no partner"
        missing = now.missing - then.missing
        if missing:
            topic = missing.most_common(1)[0][0]
            count = now.received[topic] - then.received[topic]
            text += f", mostly on {topic}, which sent {count} messages meanwhile"
            if topic in INFOS:
                return f"{text}; {CACHE_ADVICE}"
        return f"{text}; {_explain_lost_images(self._matcher)}"

    def _repeats(self, topic: str, then: _PairingCounts, now: _PairingCounts) -> str:
        repeated = now.repeated[topic] - then.repeated[topic]
        received = now.received[topic] - then.received[topic]
        if repeated < FEWEST or repeated < LOST_FRACTION * received:
            return ""
        newest_ns = self._matcher.topics[topic].newest_ns or 0
        return (
            f"{repeated} of {received} messages of {topic} repeat the stamp of the one before, now "
            f"{newest_ns / 1e9:.9f} s, so images are paired in the order in which they arrive, and a lost one joins "
            "different frames; make the driver stamp each image, and look for a second publisher of the topic"
        )


def _explain_lost_images(matcher: PairMatcher) -> str:
    if matcher.tolerance_ns:
        return "its images come rarer, or get lost on the way (depth_bringup's DDS profile), or are stamped apart"
    return (
        "if its images are stamped apart set approximate_sync with a tolerance; if they come rarer or get lost on the "
        "way, look at the driver, and start it with depth_bringup's DDS profile"
    )
