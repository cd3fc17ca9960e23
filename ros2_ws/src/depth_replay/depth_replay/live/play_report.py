# SPDX-License-Identifier: Apache-2.0
"""What a player sent: messages by topic, and frames with the moment at which they were whole."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

# Messages of other topics belong to one of the latest frames: cameras and infos may run behind each other.
_LATEST = 8


@dataclass
class PlayReport:
    """Counts, and one entry of `frames` for each message of the topic that makes the frames (the left image).

    stamp_ns is that message's stamp; sent_ns the wall time at which the last camera message of the frame left: of those
    whose stamp is nearest to this frame's and not more than tolerance_ns away.
    """

    messages: int = 0
    latest_ms: float = 0.0
    seconds: float = 0.0
    tolerance_ns: int = 0
    topics: dict[str, int] = field(default_factory=dict)
    frames: list[dict[str, int]] = field(default_factory=list)

    def add_frame(self, stamp_ns: int, loop: int, now_ns: int) -> None:
        """Note a frame."""
        self.frames.append({"stamp_ns": stamp_ns, "loop": loop, "sent_ns": now_ns})

    def belongs(self, stamp_ns: int, now_ns: int) -> None:
        """Note another camera message: the frame that it belongs to is not whole before it."""
        latest = self.frames[-_LATEST:]
        if not latest:
            return
        # Of equally near ones the latest: in a loop the same stamps come again.
        frame = min(reversed(latest), key=lambda frame: abs(frame["stamp_ns"] - stamp_ns))
        if abs(frame["stamp_ns"] - stamp_ns) <= self.tolerance_ns:
            frame["sent_ns"] = now_ns

    @property
    def rate_hz(self) -> float:
        """Achieved frame rate between the first and the last frame."""
        if len(self.frames) < 2:
            return float("nan")
        return (len(self.frames) - 1) * 1e9 / (self.frames[-1]["sent_ns"] - self.frames[0]["sent_ns"])

    def to_json(self) -> str:
        """The report as JSON; the rate is null below two frames."""
        rate = None if len(self.frames) < 2 else self.rate_hz
        return json.dumps({**asdict(self), "frames_sent": len(self.frames), "rate_hz": rate})
