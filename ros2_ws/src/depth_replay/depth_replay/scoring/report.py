# SPDX-License-Identifier: Apache-2.0
"""Figures of a run from what was sent and what was recorded: frames answered and dropped, latencies, accuracy."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from depth_runtime.tables import plain_table

from ..bags.bag import read_bag
from ..messages import topics
from ..messages.definitions import deserialize, header_stamp_ns
from .score import Score

_PERCENTILES = (50, 95, 99)
# Key of the node's diagnostics: left images that were given up, or wait, for want of a topic's message.
_WITHOUT = "left images without "


@dataclass
class Recorded:
    """What a run left in the recording: receipt of each disparity by stamp, stage times, last diagnostics."""

    received_ns: dict[int, int] = field(default_factory=dict)
    stages: dict[int, dict[str, float]] = field(default_factory=dict)
    diagnostics: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def read_recorded(recording: Path) -> Recorded:
    """Go through a recording once."""
    found = Recorded()
    for message in read_bag(recording):
        found.counts[message.topic] = found.counts.get(message.topic, 0) + 1
        if message.topic == topics.DISPARITY:
            found.received_ns.setdefault(header_stamp_ns(message.data), message.time_ns)
        elif message.topic == topics.STAGES:
            entry = json.loads(deserialize(message.data, message.msgtype).data)
            seconds, nanoseconds = entry["stamp"]
            found.stages[seconds * 1_000_000_000 + nanoseconds] = entry["ms"]
        elif message.topic == topics.DIAGNOSTICS:
            for status in deserialize(message.data, message.msgtype).status:
                found.diagnostics = {pair.key: pair.value for pair in status.values}
    return found


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p95, p99 and mean in milliseconds."""
    figures = {f"p{p}": float(np.percentile(values, p)) for p in _PERCENTILES}
    return {**figures, "mean": float(np.mean(values))}


def build_report(sent: dict[str, Any], recorded: Recorded, score: Score, about: dict[str, Any]) -> dict[str, Any]:
    """The report as JSON-ready data.

    sent: what `play --report` wrote. A frame is answered when a disparity with its stamp was recorded; end-to-end
    latency runs from the moment its last input message left the player to the receipt of its disparity.
    """
    sent_ns = {frame["stamp_ns"]: frame["sent_ns"] for frame in sent["frames"]}
    answered = [stamp for stamp in sent_ns if stamp in recorded.received_ns]
    unanswered = [stamp for stamp in sent_ns if stamp not in recorded.received_ns]
    latency = [(recorded.received_ns[stamp] - sent_ns[stamp]) / 1e6 for stamp in answered]
    names = list(dict.fromkeys(name for ms in recorded.stages.values() for name in ms))
    stages = {n: percentiles([ms[n] for ms in recorded.stages.values() if n in ms]) for n in names}
    return {
        **about,
        "frames": {
            "sent": len(sent_ns),
            "answered": len(answered),
            "dropped": len(unanswered),
            "rate_hz": sent["rate_hz"],
            "unanswered_stamps_ns": unanswered,
            "causes": frame_causes(recorded.diagnostics, len(sent_ns), len(answered)),
        },
        "node_latency_ms": stages,
        "end_to_end_latency_ms": percentiles(latency) if latency else None,
        "accuracy": score.figures or None,
        "class_iou": score.class_iou or None,
        "notes": score.notes,
        "messages_recorded": recorded.counts,
        "node_diagnostics": recorded.diagnostics,
    }


def frame_causes(diagnostics: dict[str, str], sent: int, answered: int) -> dict[str, int]:
    """How many frames were lost by which cause, as the node's last diagnostics tell; they add up to sent - answered.

    A frame is a left image: it did not arrive, found no partner, was dropped, or its disparity was not recorded.
    """
    counts = {key: int(value) for key, value in diagnostics.items() if value.isdigit()}
    left = topics.LEFT_IMAGE.strip("/")
    causes = {}
    if (received := counts.get(f"received: {left}")) is not None:
        causes["left image did not reach the node"] = sent - received
        causes |= {f"no {k.removeprefix(_WITHOUT)} for it": n for k, n in counts.items() if k.startswith(_WITHOUT)}
        unpaired = counts.get(f"unpaired: {left}", 0) + counts.get(f"waiting: {left}", 0)
        causes["found no partner"] = unpaired - sum(n for k, n in counts.items() if k.startswith(_WITHOUT))
    # A publisher with the wrong QoS is no frame.
    causes |= {k: n for k, n in counts.items() if k.startswith("dropped: ") and k != "dropped: incompatible QoS"}
    causes = {cause: count for cause, count in causes.items() if count > 0}
    causes["not counted by the node, or its disparity was not recorded"] = sent - answered - sum(causes.values())
    return {cause: count for cause, count in causes.items() if count > 0}


def report_text(report: dict[str, Any]) -> str:
    """The report as tables for the screen."""
    frames = report["frames"]
    rate = f", sent at {frames['rate_hz']:.2f} Hz" if frames["rate_hz"] else ""
    lines = [
        f"frames: {frames['sent']} sent / {frames['answered']} answered / {frames['dropped']} dropped{rate}",
        *(f"  {cause}: {count}" for cause, count in frames["causes"].items()),
        "",
    ]
    times = dict(report["node_latency_ms"])
    if report["end_to_end_latency_ms"]:
        times["player to recorder"] = report["end_to_end_latency_ms"]
    columns = [f"p{p}" for p in _PERCENTILES]
    rows = [(name, *(f"{figures[c]:.2f}" for c in columns)) for name, figures in times.items()]
    lines += [plain_table(("node latency, ms", *columns), rows), ""]
    if report["accuracy"]:
        lines.append(plain_table(("accuracy", "value"), _accuracy_rows(report)))
    else:
        lines.append("accuracy: left out, the bag has no ground truth that matches the outputs")
    return "\n".join([*lines, *(f"note: {note}" for note in report["notes"])])


def _accuracy_rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    shown = {
        ("disparity", "epe"): ("disparity EPE", "{:.3f} px"),
        ("disparity", "d1"): ("disparity D1", "{:.2f} %"),
        ("disparity", "bad1"): ("disparity error > 1 px", "{:.2f} %"),
        ("disparity", "density"): ("disparity density", "{:.1f} %"),
        ("depth", "abs_rel"): ("depth AbsRel", "{:.2f} %"),
        ("depth", "delta1"): ("depth delta < 1.25", "{:.2f} %"),
        ("semantic", "miou"): ("semantic mIoU", "{:.2f} %"),
        ("panoptic", "pq"): ("panoptic quality", "{:.2f} %"),
        ("panoptic", "pq_things"): ("panoptic quality, things", "{:.2f} %"),
        ("sky", "nearer_than_50_m"): ("sky nearer than 50 m", "{:.2f} %"),
    }
    accuracy = report["accuracy"]
    return [
        (title, form.format(accuracy[kind][name]))
        for (kind, name), (title, form) in shown.items()
        if kind in accuracy and name in accuracy[kind]
    ]
