# SPDX-License-Identifier: Apache-2.0
"""Counts and recent stage times of a running node; written by several threads, read by diagnostics."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass

import numpy as np

WINDOW_S = 10.0


@dataclass(frozen=True)
class Snapshot:
    """State at one moment: totals since start; frames, rate, times and ratio of the last WINDOW_S seconds."""

    answered: int
    dropped: dict[str, int]
    frames: int
    rate_hz: float
    p50_ms: dict[str, float]
    p95_ms: dict[str, float]
    valid_ratio: float
    last_problem: str
    problems_in_window: int


class Statistics:
    """Frames answered, frames dropped by cause, stage times."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered = 0
        self._dropped: Counter[str] = Counter()
        self._frames: deque[tuple[float, dict[str, float], float]] = deque()
        self._problems: deque[float] = deque()
        self._last_problem = ""

    def frame_answered(self, milliseconds: dict[str, float], valid_ratio: float) -> None:
        """Book an answered frame with its stage times."""
        with self._lock:
            self._answered += 1
            self._frames.append((time.monotonic(), milliseconds, valid_ratio))

    def drop(self, cause: str, text: str = "") -> None:
        """Book a lost frame. A text makes it a problem to show."""
        with self._lock:
            self._dropped[cause] += 1
            if text:
                self._problems.append(time.monotonic())
                self._last_problem = text

    def snapshot(self) -> Snapshot:
        """Totals, and percentiles over the recent window."""
        with self._lock:
            horizon = time.monotonic() - WINDOW_S
            while self._frames and self._frames[0][0] < horizon:
                self._frames.popleft()
            while self._problems and self._problems[0] < horizon:
                self._problems.popleft()
            frames = list(self._frames)
            state = self._answered, dict(self._dropped), self._last_problem, len(self._problems)
        stages = list(frames[-1][1]) if frames else []
        times = {stage: [ms[stage] for _, ms, _ in frames if stage in ms] for stage in stages}
        span_s = frames[-1][0] - frames[0][0] if len(frames) > 1 else 0.0
        return Snapshot(
            answered=state[0],
            dropped=state[1],
            frames=len(frames),
            rate_hz=(len(frames) - 1) / span_s if span_s > 0 else 0.0,
            p50_ms={stage: float(np.percentile(t, 50)) for stage, t in times.items()},
            p95_ms={stage: float(np.percentile(t, 95)) for stage, t in times.items()},
            valid_ratio=float(np.mean([ratio for _, _, ratio in frames])) if frames else float("nan"),
            last_problem=state[2],
            problems_in_window=state[3],
        )
