# SPDX-License-Identifier: Apache-2.0
"""MCAP files whose end is missing: every whole message up to the cut."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from pathlib import Path

from mcap.exceptions import McapError
from mcap.records import Channel, Message, Schema
from mcap.stream_reader import StreamReader

from .contents import BagError, BagMessage, BagTopic

MCAP_MAGIC = b"\x89MCAP0\r\n"
# Not even the longest point cloud is larger; a damaged length must not ask for all memory.
_LONGEST_RECORD = 1 << 30
# The text of rosbag2's profiles; the number is that of releases before Iron.
_LATCHED = ("durability: transient_local", "durability: 1")


def is_cut(path: Path) -> bool:
    """Whether a file begins as MCAP and does not end so."""
    if path.suffix != ".mcap" or path.is_dir():
        return False
    with path.open("rb") as file:
        if file.read(len(MCAP_MAGIC)) != MCAP_MAGIC:
            return False
        file.seek(-len(MCAP_MAGIC), 2)
        return file.read() != MCAP_MAGIC


class CutMcap:
    """The messages of such a file, in the order in which they were written. Raises BagError when there is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        counts: dict[str, int] = {}
        types: dict[str, str] = {}
        latched: set[str] = set()
        times = []
        for channel, schema, message in self._records():
            counts[channel.topic] = counts.get(channel.topic, 0) + 1
            types[channel.topic] = schema.name
            if any(word in channel.metadata.get("offered_qos_profiles", "") for word in _LATCHED):
                latched.add(channel.topic)
            times.append(message.log_time)
        if not times:
            raise BagError(f"expected messages in {path}, got a file that was cut before the first; record it again")
        self.topics = {name: BagTopic(name, types[name], n, name in latched) for name, n in counts.items()}
        self.span_ns = (min(times), max(times))

    def messages(self, wanted: Collection[str]) -> Iterator[BagMessage]:
        """Messages of the topics `wanted`."""
        for channel, schema, message in self._records():
            if channel.topic in wanted:
                yield BagMessage(channel.topic, schema.name, message.log_time, message.data)

    def _records(self) -> Iterator[tuple[Channel, Schema, Message]]:
        schemas: dict[int, Schema] = {}
        channels: dict[int, Channel] = {}
        with self._path.open("rb") as file:
            try:
                for record in StreamReader(file, record_size_limit=_LONGEST_RECORD).records:
                    if isinstance(record, Schema):
                        schemas[record.id] = record
                    elif isinstance(record, Channel):
                        channels[record.id] = record
                    elif isinstance(record, Message):
                        channel = channels[record.channel_id]
                        yield channel, schemas[channel.schema_id], record
            except (McapError, struct.error, KeyError, ValueError, RuntimeError):
                return  # the cut
