# SPDX-License-Identifier: Apache-2.0
"""Which sentences may be logged again already, so that a fault that lasts does not fill the log."""

from __future__ import annotations

import re
import threading

# The same sentence is logged at most this often, whatever the numbers in it.
REPEAT_S = 10.0
# Other sentences about the same cause follow each other at least this far apart.
NEW_TEXT_S = 1.0

_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")


class LogLimit:
    """Remembers what was logged when. Used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logged: dict[tuple[str, str], float] = {}

    def allows(self, cause: str, text: str, now_s: float, new_text_s: float = NEW_TEXT_S) -> bool:
        """Whether a text about a cause is due at this monotonic time; if so it counts as logged."""
        key = (cause, _NUMBER.sub("#", text))
        with self._lock:
            self._logged = {k: s for k, s in self._logged.items() if now_s - s < REPEAT_S}
            last_s = max((s for (other, _), s in self._logged.items() if other == cause), default=None)
            if key in self._logged or (last_s is not None and now_s - last_s < new_text_s):
                return False
            self._logged[key] = now_s
            return True
