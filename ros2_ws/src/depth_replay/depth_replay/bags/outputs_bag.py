# SPDX-License-Identifier: Apache-2.0
"""Joins what was played and what was recorded into one bag on the recording's clock."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..messages import topics
from ..messages.definitions import has_header, header_stamp_ns
from .bag import BagMessage, bag_topics, read_bag
from .writer import BagWriter


def join_bags(played: Path, recording: Path, sent_ns: dict[int, int], remaps: dict[str, str], out: Path) -> None:
    """Write recording + inputs and truth of the played bag to `out`, in order of time.

    The played messages keep their transport (compressed stays compressed) and their stamps; their bag time becomes
    the moment at which their frame was sent (sent_ns, by stamp of the frame; a message belongs to the frame whose stamp
    is nearest, within half the smallest distance of two frames). Frames that were not sent are left out.
    """
    inputs, outputs = bag_topics(played), bag_topics(recording)
    kept = {name: t for name, t in inputs.items() if _is_kept(topics.renamed(name, remaps), t.msgtype)}
    first_ns = min(sent_ns.values())
    total = sum(t.count for t in [*kept.values(), *outputs.values()])
    with BagWriter(out, overwrite=True) as writer:
        for name, topic in kept.items():
            writer.add_topic(topics.renamed(name, remaps), topic.msgtype, latched=topic.latched)
        for topic in outputs.values():
            if not writer.has_topic(topic.name):
                writer.add_topic(topic.name, topic.msgtype, latched=topic.latched)
        streams = (_inputs(played, set(kept), sent_ns, remaps, first_ns), read_bag(recording))
        merged = heapq.merge(*streams, key=lambda message: message.time_ns)
        for message in tqdm(merged, total=total, desc="outputs.mcap", unit="msg"):
            writer.write(message.topic, message.time_ns, message.data)


def _is_kept(name: str, msgtype: str) -> bool:
    cameras = topics.base(name) in topics.INPUTS
    return cameras or (name.startswith(topics.TRUTH_PREFIX) and (has_header(msgtype) or name == topics.TRUTH_LABELS))


def _inputs(
    played: Path, names: set[str], sent_ns: dict[int, int], remaps: dict[str, str], first_ns: int
) -> Iterator[BagMessage]:
    stamps = np.array(sorted(sent_ns))
    tolerance_ns = np.diff(stamps).min() / 2 if len(stamps) > 1 else 0

    def sent_with(stamp_ns: int) -> int | None:
        nearest = int(stamps[np.abs(stamps - stamp_ns).argmin()])
        return sent_ns[nearest] if abs(nearest - stamp_ns) <= tolerance_ns else None

    for message in read_bag(played, names):
        time_ns = sent_with(header_stamp_ns(message.data)) if has_header(message.msgtype) else first_ns
        if time_ns is not None:
            yield BagMessage(topics.renamed(message.topic, remaps), message.msgtype, time_ns, message.data)
