# SPDX-License-Identifier: Apache-2.0
"""DiagnosticStatus of the stereo node: what runs, how fast, what was lost and why."""

from __future__ import annotations

from dataclasses import dataclass

from depth_runtime.backends import Backend
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from .pairing import PairMatcher
from .statistics import Snapshot

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


@dataclass(frozen=True)
class Health:
    """Everything that a status is made of. `silence` says why no pair comes, "" while pairs come."""

    state: str
    failure: str
    silence: str
    watched: bool
    backend: Backend | None
    requested_backend: str
    model_path: str
    snapshot: Snapshot
    matcher: PairMatcher


def status(name: str, health: Health) -> DiagnosticStatus:
    """One status; its level is the worst of what is wrong, its message the most important sentence."""
    level, message = _verdict(health)
    snapshot, backend = health.snapshot, health.backend
    pairs = {
        "state": health.state,
        "model": health.model_path,
        "requested backend": health.requested_backend,
        "paired": health.matcher.pairs,
        "answered": snapshot.answered,
        "rate_hz": f"{snapshot.rate_hz:.2f}",
        "valid ratio": f"{snapshot.valid_ratio:.4f}",
        "time jumps": health.matcher.jumps,
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
    for topic, state in health.matcher.topics.items():
        pairs |= {f"received: {topic}": state.received, f"unpaired: {topic}": state.unpaired}
    pairs |= {f"{stage} p50 ms": f"{ms:.2f}" for stage, ms in snapshot.p50_ms.items()}
    pairs |= {f"{stage} p95 ms": f"{ms:.2f}" for stage, ms in snapshot.p95_ms.items()}
    values = [KeyValue(key=key, value=str(value)) for key, value in pairs.items()]
    return DiagnosticStatus(level=level, name=name, message=message, hardware_id=health.model_path, values=values)


def _verdict(health: Health) -> tuple[bytes, str]:
    if health.failure:
        return ERROR, health.failure
    if health.backend is None or health.state != "active":
        return WARN, f"the node is {health.state}"
    if health.backend.fallback_reason:
        return ERROR, health.backend.fallback_reason
    if health.silence:
        return ERROR, health.silence
    if health.snapshot.problems_in_window:
        return WARN, health.snapshot.last_problem
    if not health.watched:
        return OK, "nobody subscribes: nothing is computed"
    return OK, f"{health.snapshot.rate_hz:.1f} Hz on {health.backend.name}"
