# SPDX-License-Identifier: Apache-2.0
"""Bags read: rosbag2 folders and single .mcap / .db3 files, with errors that name the bag."""

from __future__ import annotations

import logging
import sqlite3
import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from rosbags.interfaces import Connection, ConnectionExtRosbag2, QosDurability
from rosbags.rosbag2 import Reader
from rosbags.rosbag2.errors import ReaderError
from rosbags.rosbag2.reader import DirectoryReader

from .contents import BagError, BagMessage, BagTopic
from .cut_mcap import CutMcap, is_cut

log = logging.getLogger(__name__)

SUFFIXES = (".mcap", ".db3")
_DAMAGE = (
    *(ReaderError, struct.error, sqlite3.Error, ValueError, TypeError, KeyError, AssertionError, EOFError),
    *(MemoryError, OverflowError, IndexError),
)


class Bag(Protocol):
    """An open bag: its topics by name, bag times of the first and last message, and its messages in order of time."""

    topics: dict[str, BagTopic]
    span_ns: tuple[int, int]

    def messages(self, wanted: Collection[str]) -> Iterator[BagMessage]:
        """Messages of the topics `wanted`."""
        ...


class IndexedBag:
    """A bag as rosbags reads it: a file with its index, or a folder with metadata.yaml."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        _trust_files(reader)
        self.topics: dict[str, BagTopic] = {}
        for connection in reader.connections:
            before = self.topics.get(connection.topic)
            count = connection.msgcount + (before.count if before else 0)
            offered = connection.ext.offered_qos_profiles if isinstance(connection.ext, ConnectionExtRosbag2) else []
            latched = any(qos.durability == QosDurability.TRANSIENT_LOCAL for qos in offered)
            self.topics[connection.topic] = BagTopic(connection.topic, connection.msgtype, count, latched)
        self.span_ns = (reader.start_time, reader.end_time - 1)

    def messages(self, wanted: Collection[str]) -> Iterator[BagMessage]:
        """Messages of the topics `wanted`, in order of bag time."""
        connections = [c for c in self._reader.connections if c.topic in wanted]
        if connections:
            for connection, time_ns, data in self._reader.messages(connections):
                yield BagMessage(connection.topic, connection.msgtype, time_ns, bytes(data))


def _trust_files(reader: Reader) -> None:
    """Give the files of a folder the QoS and the type hash that metadata.yaml states of their topics.

    rosbags finds the messages of a topic by both, and recorders and converters exist that write one of them only into
    one of the two places: such a bag would look empty.
    """
    folder = reader.storage
    if not isinstance(folder, DirectoryReader):
        return
    stated = {(c.topic, c.msgtype): c for c in folder.connections}

    def as_stated(connection: Connection) -> Connection:
        other = stated.get((connection.topic, connection.msgtype))
        return connection if other is None else connection._replace(ext=other.ext, digest=other.digest)

    for file in folder.storages:
        file.connections = [as_stated(connection) for connection in file.connections]


@contextmanager
def _open(path: Path) -> Iterator[Bag]:
    if not path.exists():
        raise BagError(f"expected a bag at {path}, got nothing there; give a bag folder, a .mcap or a .db3 file")
    file = path
    if path.is_dir() and not (path / "metadata.yaml").exists():
        file = _only_file(path)
    try:
        if is_cut(file):
            log.warning("%s was not finished (its end is missing): reading it up to the cut", path)
            yield CutMcap(file)
        else:
            with Reader(file) as reader:
                yield IndexedBag(reader)
    except _DAMAGE + _zstd_errors() as error:
        if isinstance(error, BagError):
            raise
        raise BagError(
            f"expected a readable rosbag2 bag at {path}, got {type(error).__name__}: {error}; "
            "it is damaged or was not finished: record or convert it again"
        ) from error


def _only_file(folder: Path) -> Path:
    """The bag file of a folder without metadata.yaml. Raises BagError unless there is exactly one."""
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    if len(files) != 1:
        raise BagError(
            f"expected a rosbag2 folder with metadata.yaml at {folder}, got none and {len(files)} bag files; "
            "give a .mcap or .db3 file, or restore the metadata by `ros2 bag reindex`"
        )
    log.warning("%s has no metadata.yaml: reading %s itself", folder, files[0].name)
    return files[0]


def _zstd_errors() -> tuple[type[Exception], ...]:
    """The error class of the zstd module in use (standard library from Python 3.14 on)."""
    try:
        from compression import zstd
    except ImportError:
        from backports import zstd
    return (zstd.ZstdError,)


def bag_topics(path: Path | str) -> dict[str, BagTopic]:
    """Topics of a bag by name.

    Raises BagError when the bag is missing or damaged.
    """
    with _open(Path(path)) as bag:
        return bag.topics


def bag_span_ns(path: Path | str) -> tuple[int, int]:
    """Bag times of the first and the last message, in nanoseconds.

    Raises BagError when the bag is missing, damaged or empty.
    """
    with _open(Path(path)) as bag:
        if not sum(topic.count for topic in bag.topics.values()):
            raise BagError(f"expected messages in {path}, got an empty bag")
        return bag.span_ns


def read_bag(path: Path | str, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
    """Messages of a bag in order of bag time, of all topics or of the named ones.

    Raises BagError when the bag is missing or damaged, also in the middle of it. Of an MCAP file without its end
    (a recording that was killed, a disk that was full) every whole message is read, after a warning.
    """
    count = 0
    try:
        with _open(Path(path)) as bag:
            for message in bag.messages(bag.topics if topics is None else topics):
                yield message
                count += 1
    except BagError as error:
        if not count:
            raise
        raise BagError(f"{error} ({count} messages before the damage were read)") from error
