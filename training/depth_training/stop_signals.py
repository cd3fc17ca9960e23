# SPDX-License-Identifier: Apache-2.0
"""SIGTERM and SIGINT as a wish to stop: a run that is told to end first saves what it has."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

log = logging.getLogger(__name__)
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """While entered, the first SIGTERM or SIGINT only sets `caught` to its name; the next acts as it always does.

    Does nothing outside the main thread, where Python delivers no signals.
    """

    def __init__(self) -> None:
        self.caught = ""
        self._before: dict[int, object] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._catch) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _catch(self, number: int, _frame: FrameType | None) -> None:
        self.caught = signal.Signals(number).name
        log.warning("%s: saving after this step; once more to stop at once", self.caught)
        self.__exit__()
