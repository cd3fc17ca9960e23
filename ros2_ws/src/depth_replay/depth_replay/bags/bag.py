# SPDX-License-Identifier: Apache-2.0
"""Bags read and written: rosbag2 folders and single .mcap / .db3 files, with errors that name the bag."""

from __future__ import annotations

import shutil
import sqlite3
import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag2,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import Reader, Writer
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2.errors import ReaderError

from ..messages.definitions import TYPES, knows_type

STORAGES = {"mcap": (StoragePlugin.MCAP, ".mcap"), "sqlite3": (StoragePlugin.SQLITE3, ".db3")}
# Humble reads metadata up to this version without a complaint, and so does every later release.
METADATA_VERSION: Final = 8
_DAMAGE = (ReaderError, struct.error, sqlite3.Error, ValueError, TypeError, KeyError, AssertionError, EOFError)


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


@contextmanager
def _reader(path: Path) -> Iterator[Reader]:
    if not path.exists():
        raise BagError(f"expected a bag at {path}, got nothing there; give a bag folder, a .mcap or a .db3 file")
    try:
        with Reader(path) as reader:
            yield reader
    except FileNotFoundError as error:
        raise BagError(
            f"expected a rosbag2 folder with metadata.yaml at {path}, got {error}; "
            "give the bag folder itself, a .mcap or a .db3 file"
        ) from error
    except _DAMAGE + _zstd_errors() as error:
        raise BagError(
            f"expected a readable rosbag2 bag at {path}, got {type(error).__name__}: {error}; "
            "it is damaged or was not finished: record or convert it again"
        ) from error


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
    topics: dict[str, BagTopic] = {}
    with _reader(Path(path)) as reader:
        for connection in reader.connections:
            before = topics.get(connection.topic)
            offered = connection.ext.offered_qos_profiles if isinstance(connection.ext, ConnectionExtRosbag2) else []
            latched = any(qos.durability == QosDurability.TRANSIENT_LOCAL for qos in offered)
            count = connection.msgcount + (before.count if before else 0)
            topics[connection.topic] = BagTopic(connection.topic, connection.msgtype, count, latched)
    return topics


def bag_span_ns(path: Path | str) -> tuple[int, int]:
    """Bag times of the first and the last message, in nanoseconds.

    Raises BagError when the bag is missing, damaged or empty.
    """
    with _reader(Path(path)) as reader:
        count, start, end = reader.message_count, reader.start_time, reader.end_time
    if not count:
        raise BagError(f"expected messages in {path}, got an empty bag")
    return start, end - 1


def read_bag(path: Path | str, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
    """Messages of a bag in order of bag time, of all topics or of the named ones.

    Raises BagError when the bag is missing or damaged, also in the middle of it.
    """
    with _reader(Path(path)) as reader:
        wanted = [c for c in reader.connections if topics is None or c.topic in topics]
        if wanted:
            for connection, time_ns, data in reader.messages(wanted):
                yield BagMessage(connection.topic, connection.msgtype, time_ns, bytes(data))


def qos_profile(latched: bool, depth: int = 10) -> Qos:
    """The QoS that the bag says was offered: reliable, volatile or (latched) transient local."""
    forever = QosTime(9223372036, 854775807)
    return Qos(
        QosHistory.KEEP_LAST,
        1 if latched else depth,
        QosReliability.RELIABLE,
        QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        forever,
        forever,
        QosLiveliness.AUTOMATIC,
        forever,
        False,
    )


class BagWriter:
    """Writes a bag next to its place and moves it there when it is whole.

    out: a folder (rosbag2 bag with metadata.yaml) or a file that ends in .mcap or .db3. zstd compresses MCAP
    chunks. Raises BagError when out exists and overwrite is off, or when nothing was written.
    """

    def __init__(self, out: Path | str, storage: str = "mcap", *, zstd: bool = True, overwrite: bool = False) -> None:
        self.out = Path(out)
        self.single_file = self.out.suffix in {suffix for _, suffix in STORAGES.values()}
        if self.single_file:
            storage = next(name for name, (_, suffix) in STORAGES.items() if suffix == self.out.suffix)
        if storage not in STORAGES:
            raise BagError(f"expected storage one of {sorted(STORAGES)}, got '{storage}'")
        if self.out.exists() and not overwrite:
            raise BagError(f"expected no bag at {self.out} yet, got one; remove it or pass --overwrite")
        self.plugin, self.suffix = STORAGES[storage]
        self.partial = self.out.parent / f".{self.out.name}.partial"
        self.count = 0
        self._connections: dict[str, Connection] = {}
        shutil.rmtree(self.partial, ignore_errors=True)
        self._writer = Writer(
            self.partial / self.out.stem if self.single_file else self.partial / self.out.name,
            version=METADATA_VERSION,
            storage_plugin=self.plugin,
        )
        if zstd and self.plugin == StoragePlugin.MCAP:
            self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        self._writer.open()

    def add_topic(self, topic: str, msgtype: str, *, latched: bool = False) -> None:
        """Declare a topic before its first message; its definition goes into the bag."""
        if not knows_type(msgtype):
            raise BagError(
                f"expected a definition of {msgtype} for topic {topic}, got none; "
                "source the ROS workspace that has it, or leave the topic out"
            )
        self._connections[topic] = self._writer.add_connection(
            topic, msgtype, typestore=TYPES, offered_qos_profiles=[qos_profile(latched)]
        )

    def has_topic(self, topic: str) -> bool:
        """Whether `add_topic` was called for the topic."""
        return topic in self._connections

    def write(self, topic: str, time_ns: int, data: bytes) -> None:
        """Append a serialised message of a declared topic at a bag time in nanoseconds."""
        self._writer.write(self._connections[topic], time_ns, data)
        self.count += 1

    def close(self) -> None:
        """Finish the bag and move it to its place."""
        if not self.count:
            self.abort()
            raise BagError(f"expected at least one message for {self.out}, got none; no bag was written")
        self._writer.close()
        if self.out.is_dir():
            shutil.rmtree(self.out)
        made = self._writer.path
        (made / f"{made.name}{self.suffix}" if self.single_file else made).replace(self.out)
        shutil.rmtree(self.partial, ignore_errors=True)

    def abort(self) -> None:
        """Throw away what was written."""
        self._writer.abort()
        shutil.rmtree(self.partial, ignore_errors=True)

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()
