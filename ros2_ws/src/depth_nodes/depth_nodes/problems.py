# SPDX-License-Identifier: Apache-2.0
"""Frames that could not be answered: each has a cause that is counted and a text that says what to do."""

from __future__ import annotations


class BadMessageError(ValueError):
    """A message that costs its frame. `cause` is a short name to count by; the text explains."""

    def __init__(self, cause: str, text: str) -> None:
        super().__init__(text)
        self.cause = cause
