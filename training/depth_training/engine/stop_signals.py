# SPDX-License-Identifier: Apache-2.0
"""SIGTERM and SIGINT as a wish to stop: a run that is told to end first saves what it has."""

from __future__ import annotations

import logging
import signal
import threading
import time
from types import FrameType

log = logging.getLogger(__name__)
SIGNALS = (signal.SIGTERM, signal.SIGINT)
AGAIN_S = 1.0


class StopSignals:
    """While entered, SIGTERM and SIGINT only set `caught` to the name of the first; a later Ctrl-C interrupts at once.

    "Later" is after AGAIN_S: torchrun hands a signal on that its processes already have from the terminal or the
    scheduler. Does nothing outside the main thread, where Python delivers no signals.
    """

    def __init__(self) -> None:
        self.caught, self._since_s = "", 0.0
        self._before: dict[int, object] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._catch) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _catch(self, number: int, _frame: FrameType | None) -> None:
        now_s = time.monotonic()
        if not self.caught:
            self.caught, self._since_s = signal.Signals(number).name, now_s
            log.warning("%s: saving after this step; Ctrl-C once more stops at once", self.caught)
        elif number == signal.SIGINT and now_s - self._since_s > AGAIN_S:
            raise KeyboardInterrupt
