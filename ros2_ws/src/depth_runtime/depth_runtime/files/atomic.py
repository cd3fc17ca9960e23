# SPDX-License-Identifier: Apache-2.0
"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """A place beside `path` to write to: what lies there at the end takes the place of `path`; on an error it goes.

    A reader sees the old content or the new one, never a part. Makes the folder. durable: the content is on the disk
    before it gets its name, so that a power cut cannot leave an empty file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        if durable:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file in one step; see `replacing`."""
    with replacing(path, durable=durable) as temporary:
        temporary.write_bytes(content)
