# SPDX-License-Identifier: Apache-2.0
"""Bags written beside their place and moved there when they are whole; what is there already is never lost."""

from __future__ import annotations

import fcntl
import logging
import shutil
from pathlib import Path
from typing import Any, Final

from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import Writer
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2.storage_sqlite3 import Sqlite3Writer

from ..messages.definitions import TYPES, knows_type
from .contents import BagError

log = logging.getLogger(__name__)

STORAGES = {"mcap": (StoragePlugin.MCAP, ".mcap"), "sqlite3": (StoragePlugin.SQLITE3, ".db3")}
# Humble reads metadata up to this version without a complaint, and so does every later release.
METADATA_VERSION: Final = 8
# Room that stays free for the index: rosbags keeps up to a megabyte and one message until a chunk is full.
RESERVE_BYTES = 4 << 20
INDEX_RATIO = 1000
# SQLite messages are safe from the next failure after so many bytes.
_COMMIT_BYTES = 16 << 20
_OF_A_BAG = {".mcap", ".db3", ".zstd", ".db3-wal", ".db3-shm", ".db3-journal"}


class DiskFullError(BagError):
    """No room for another message; what was written is kept."""


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


def is_bag(path: Path) -> bool:
    """Whether a path holds a bag and nothing else: a bag file, or a folder of metadata.yaml and bag files."""
    if path.is_file():
        return path.suffix in _OF_A_BAG
    names = [child for child in path.iterdir() if child.name != "metadata.yaml"]
    return bool(names) and all(child.is_file() and child.suffix in _OF_A_BAG for child in names)


class BagWriter:
    """Writes a bag beside its place and moves it there when it is whole.

    out: a folder (rosbag2 bag with metadata.yaml) or a file that ends in .mcap or .db3; it must not exist, or be a
    bag with `overwrite`. zstd compresses MCAP chunks. keep: after an error, what was written becomes the bag all the
    same. All calls must come from one thread. Raises BagError when out is taken, when somebody else writes it now, or
    when nothing was written; DiskFullError before the disk is full.
    """

    def __init__(
        self, out: Path | str, storage: str = "mcap", *, zstd: bool = True, overwrite: bool = False, keep: bool = False
    ) -> None:
        self.out, self.keep = Path(out), keep
        self.single_file = self.out.suffix in {suffix for _, suffix in STORAGES.values()}
        if self.single_file:
            storage = next(name for name, (_, suffix) in STORAGES.items() if suffix == self.out.suffix)
        if storage not in STORAGES:
            raise BagError(f"expected storage one of {sorted(STORAGES)}, got '{storage}'")
        self._refuse_taken(overwrite)
        self.plugin, self.suffix = STORAGES[storage]
        self.unfinished = self.out.parent / f"{self.out.name}.unfinished"
        self._lock = self._take_place()
        self.count, self._bytes, self._uncommitted = 0, 0, 0
        self._connections: dict[str, Any] = {}
        self._writer = Writer(
            self.unfinished / (self.out.stem if self.single_file else self.out.name),
            version=METADATA_VERSION,
            storage_plugin=self.plugin,
        )
        if zstd and self.plugin == StoragePlugin.MCAP:
            self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        self._writer.open()

    def _refuse_taken(self, overwrite: bool) -> None:
        if not self.out.exists():
            return
        if not overwrite:
            raise BagError(f"expected no bag at {self.out} yet, got one; remove it or pass --overwrite")
        if not is_bag(self.out):
            raise BagError(
                f"expected a bag at {self.out} to overwrite, got something else; nothing was deleted: "
                "choose another name, or remove it yourself"
            )

    def _take_place(self) -> Any:
        """The lock of the folder to write in; an unfinished bag of a run that was killed is moved aside."""
        self.out.parent.mkdir(parents=True, exist_ok=True)
        if self.unfinished.exists():
            with _locked(self.unfinished, self.out):
                number = 1
                while (aside := self.unfinished.with_name(f"{self.unfinished.name}-{number}")).exists():
                    number += 1
                self.unfinished.rename(aside)
            log.warning("an earlier run did not finish %s: its messages lie in %s", self.out, aside)
        self.unfinished.mkdir()
        return _locked(self.unfinished, self.out)

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
        self._bytes += len(data)
        # Twice the message: once in the chunk that it fills, once more for the journal of SQLite.
        needed = RESERVE_BYTES + self._bytes // INDEX_RATIO + 2 * len(data)
        free = shutil.disk_usage(self.unfinished).free
        if free < needed:
            raise DiskFullError(
                f"expected {needed / 1e6:.0f} MB free for {self.out}, got {free / 1e6:.0f} MB; "
                f"the bag ends after {self.count} messages: make room there"
            )
        self._writer.write(self._connections[topic], time_ns, data)
        self.count += 1
        self._commit(len(data))

    def _commit(self, size: int) -> None:
        self._uncommitted += size
        if isinstance(self._writer.storage, Sqlite3Writer) and self._uncommitted > _COMMIT_BYTES:
            self._writer.storage.conn.commit()
            self._uncommitted = 0

    def close(self) -> None:
        """Finish the bag and move it to its place."""
        if not self.count:
            self.abort()
            raise BagError(f"expected at least one message for {self.out}, got none; no bag was written")
        self._writer.close()
        made = self._writer.path
        replace(made / f"{made.name}{self.suffix}" if self.single_file else made, self.out)
        self._leave()

    def abort(self) -> None:
        """Throw away what was written."""
        self._writer.abort()
        self._leave()

    def _leave(self) -> None:
        shutil.rmtree(self.unfinished, ignore_errors=True)
        self._lock.close()

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        elif self.keep and self.count:
            try:
                self.close()
            except Exception as error:
                log.error("%s could not be finished (%s): its messages lie in %s", self.out, error, self.unfinished)
                self._lock.close()
        else:
            self.abort()


def _locked(folder: Path, out: Path) -> Any:
    """An open file that holds the folder's lock. Raises BagError when another process has it."""
    file = (folder / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise BagError(
            f"expected nobody else to write {out}, got a running process that does; choose a name"
        ) from error
    return file


def replace(made: Path, out: Path) -> None:
    """Move a file or folder to its place; what was there goes only when the new one stands."""
    if not out.is_dir():
        made.replace(out)
        return
    old = out.with_name(f"{out.name}.old")
    out.rename(old)
    made.replace(out)
    shutil.rmtree(old)
