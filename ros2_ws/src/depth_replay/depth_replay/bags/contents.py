# SPDX-License-Identifier: Apache-2.0
"""What a bag is made of, and the error that names a bag."""

from __future__ import annotations

from dataclasses import dataclass


class BagError(ValueError):
    """A bag is missing, damaged or already there; the message names it and says what to do."""


@dataclass(frozen=True)
class BagMessage:
    """One recorded message: topic, type, bag time in nanoseconds, CDR bytes."""

    topic: str
    msgtype: str
    time_ns: int
    data: bytes


@dataclass(frozen=True)
class BagTopic:
    """One topic of a bag; latched topics were offered as transient local."""

    name: str
    msgtype: str
    count: int
    latched: bool
