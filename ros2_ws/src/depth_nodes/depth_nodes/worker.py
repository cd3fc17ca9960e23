# SPDX-License-Identifier: Apache-2.0
"""A worker thread that always takes the newest job; the executor stays free for callbacks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class LatestWorker:
    """Runs `work(job)` in its own thread, one at a time; a job that waits is replaced by a newer one.

    `on_error(error)` is called for whatever `work` raises; the thread lives on.
    """

    def __init__(self, work: Callable[[Any], None], on_error: Callable[[Exception], None]) -> None:
        self._work, self._on_error = work, on_error
        self._job: Any = None
        self._stop = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="stereo_worker", daemon=True)
        self._thread.start()

    def put(self, job: Any) -> bool:
        """Hand in a job (not None); True if it pushed out one that was still waiting."""
        with self._condition:
            replaced = self._job is not None
            self._job = job
            self._condition.notify()
        return replaced

    def clear(self) -> None:
        """Forget the job that waits."""
        with self._condition:
            self._job = None

    def stop(self, timeout_s: float = 1.5) -> None:
        """End the thread after the job in hand."""
        with self._condition:
            self._stop, self._job = True, None
            self._condition.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._condition:
                while self._job is None and not self._stop:
                    self._condition.wait()
                if self._stop:
                    return
                job, self._job = self._job, None
            try:
                self._work(job)
            except Exception as error:  # a frame must never take the node down
                self._on_error(error)
