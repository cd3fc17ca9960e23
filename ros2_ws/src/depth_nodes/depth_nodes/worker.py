# SPDX-License-Identifier: Apache-2.0
"""A worker thread that always takes the newest job; the executor stays free for callbacks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

THREAD_NAME = "depth_worker"

J = TypeVar("J")


class LatestWorker(Generic[J]):
    """Runs `work(job)` in its own thread, one at a time; a job that waits is replaced by a newer one.

    `on_error(error)` is called for whatever `work` raises; the thread lives on.
    """

    def __init__(self, work: Callable[[J], None], on_error: Callable[[Exception], None]) -> None:
        self._work, self._on_error = work, on_error
        self._job: J | None = None
        self._began_s: float | None = None
        self._stop = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, job: J) -> bool:
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

    def busy_s(self) -> float:
        """Seconds that the job in hand has taken so far; 0 while none is."""
        began_s = self._began_s
        return 0.0 if began_s is None else time.monotonic() - began_s

    def stop(self) -> None:
        """Take no more jobs; the thread ends after the one in hand."""
        with self._condition:
            self._stop, self._job = True, None
            self._condition.notify()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end of the thread; whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._condition:
                while self._job is None and not self._stop:
                    self._condition.wait()
                job, self._job = self._job, None
                if self._stop or job is None:
                    return
                self._began_s = time.monotonic()
            try:
                self._work(job)
            except Exception as error:  # a frame must never take the node down
                self._on_error(error)
            self._began_s = None


def worker_is_alive() -> bool:
    """Whether any worker thread of this process is still in its job."""
    return any(thread.name == THREAD_NAME for thread in threading.enumerate())
