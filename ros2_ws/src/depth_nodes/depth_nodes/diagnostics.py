# SPDX-License-Identifier: Apache-2.0
"""DiagnosticStatus of a node around a network: what runs, how fast, what was lost and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from depth_runtime.backends import Backend
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from .statistics import Snapshot

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
# A frame that takes longer than this is worth an ERROR: either the network hangs or it is useless at this speed.
STUCK_S = 5.0
# So many frames in a row with less than this fraction of pixels that have a depth are no view of anything.
EMPTY_FRAMES = 3
EMPTY_RATIO = 0.01


@dataclass(frozen=True)
class Health:
    """Everything that a status is made of, but for the statistics.

    failure: why the last change of state failed, ""; busy_s: time that the frame in work has taken so far; silence:
    why no frame comes, "" while frames come; warnings: what is wrong while they do; counts: what came on which topic.
    """

    state: str
    failure: str
    busy_s: float
    silence: str
    warnings: tuple[str, ...]
    watched: bool
    backend: Backend | None
    requested_backend: str
    model_path: str
    counts: Mapping[str, Any]

    @property
    def stuck(self) -> str:
        """What to say of a frame that does not come back, "" if none is overdue."""
        if self.busy_s < STUCK_S:
            return ""
        return (
            f"a frame is in work for {self.busy_s:.0f} s and has not come back: the network hangs or is too slow for "
            "this machine (an engine that is being built on the first frame says so in the log); restart the node, or "
            "choose a smaller network_size or another backend"
        )


def status(name: str, health: Health, snapshot: Snapshot) -> DiagnosticStatus:
    """One status; its level is the worst of what is wrong, its message the most important sentence."""
    level, message = _verdict(health, snapshot)
    backend = health.backend
    pairs = {
        "state": health.state,
        "model": health.model_path,
        "requested backend": health.requested_backend,
        "answered": snapshot.answered,
        "frame in work s": f"{health.busy_s:.1f}",
        "silence": health.silence,
        "rate_hz": f"{snapshot.rate_hz:.2f}",
        "valid ratio": f"{snapshot.valid_ratio:.4f}",
        "last problem": snapshot.last_problem,
    }
    if backend:
        pairs |= {
            "model name": f"{backend.spec.name} {backend.spec.version}",
            "backend": backend.name,
            "engine": backend.device,
            "fallback": backend.fallback_reason,
        }
    pairs |= {f"dropped: {cause}": count for cause, count in sorted(snapshot.dropped.items())}
    pairs |= health.counts
    pairs |= {f"{stage} p50 ms": f"{ms:.2f}" for stage, ms in snapshot.p50_ms.items()}
    pairs |= {f"{stage} p95 ms": f"{ms:.2f}" for stage, ms in snapshot.p95_ms.items()}
    values = [KeyValue(key=key, value=str(value)) for key, value in pairs.items()]
    return DiagnosticStatus(level=level, name=name, message=message, hardware_id=health.model_path, values=values)


def all_warnings(health: Health, snapshot: Snapshot) -> list[str]:
    """Sentences about what is wrong while frames are answered."""
    texts = list(health.warnings)
    if snapshot.frames >= EMPTY_FRAMES and snapshot.valid_ratio < EMPTY_RATIO:
        texts.append(
            f"only {100 * snapshot.valid_ratio:.1f} % of the pixels of the last {snapshot.frames} frames have a depth "
            "inside min_depth_m .. max_depth_m and the confidence_threshold; look at the images (covered, dark, left "
            "and right swapped, not rectified), at the baseline of the calibration, and at these parameters"
        )
    return texts


def _verdict(health: Health, snapshot: Snapshot) -> tuple[bytes, str]:
    if health.failure:
        return ERROR, health.failure
    if health.stuck:
        return ERROR, health.stuck
    if health.backend is None or health.state != "active":
        return WARN, f"the node is {health.state}"
    if health.backend.fallback_reason:
        return ERROR, health.backend.fallback_reason
    if health.silence:
        return ERROR, health.silence
    if snapshot.problems_in_window:
        return WARN, snapshot.last_problem
    if warnings := all_warnings(health, snapshot):
        return WARN, "; ".join(warnings)
    if not health.watched:
        return OK, "nobody subscribes: nothing is computed"
    return OK, f"{snapshot.rate_hz:.1f} Hz on {health.backend.name}"
