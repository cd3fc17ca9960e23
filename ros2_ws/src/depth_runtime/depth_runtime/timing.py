# SPDX-License-Identifier: Apache-2.0
"""Stage timings as data."""

from __future__ import annotations

import time


class StageTimer:
    """Milliseconds between marks, by stage name, in the order of first use; a repeated name adds up.

    start_s is the time.perf_counter() at which the first stage began, now if left out.
    """

    def __init__(self, start_s: float | None = None) -> None:
        self.milliseconds: dict[str, float] = {}
        self._start = self._last = time.perf_counter() if start_s is None else start_s

    def mark(self, stage: str) -> None:
        """Book the time since the previous mark under `stage`."""
        now = time.perf_counter()
        self.milliseconds[stage] = self.milliseconds.get(stage, 0.0) + (now - self._last) * 1e3
        self._last = now

    def finish(self) -> dict[str, float]:
        """Add "total", the time since the start, and return all stages."""
        self.milliseconds["total"] = (time.perf_counter() - self._start) * 1e3
        return self.milliseconds
