# SPDX-License-Identifier: Apache-2.0
"""Downloading and unpacking Debian packages without installing them."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from depth_runtime.errors import UserError

logger = logging.getLogger(__name__)
BY_HAND = "download the packages from packages.debian.org into a folder and pass it by --packages"


@dataclass(frozen=True)
class Package:
    """A package on disk: a .deb file or the folder that one was unpacked into."""

    name: str
    version: str
    place: Path

    @contextmanager
    def unpacked(self) -> Iterator[Path]:
        """Its files as a folder, for the time of the block. Raises UserError if dpkg-deb cannot unpack it."""
        if self.place.is_dir():
            yield self.place
            return
        with TemporaryDirectory(prefix=f"{self.name}-") as folder:
            _run(["dpkg-deb", "-x", str(self.place), folder])
            yield Path(folder)


def download(names: Sequence[str], folder: Path) -> None:
    """Fetch packages into `folder`, without those already there; one that the system does not know is only reported.

    Raises UserError where there is no apt-get, or where it knows none of them.
    """
    if not shutil.which("apt-get"):
        raise UserError(f"expected apt-get (Debian, Ubuntu), found none; {BY_HAND}: {', '.join(names)}")
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if find(name, folder) is None:
            logger.info("download %s", name)
            result = subprocess.run(["apt-get", "download", name], cwd=folder, capture_output=True, text=True)
            if result.returncode:
                logger.warning("%s is left out: %s", name, result.stderr.strip().splitlines()[-1])
    if not any(find(name, folder) for name in names):
        raise UserError(f"expected packages in {folder}, got none; run 'apt-get update' first, or {BY_HAND}")


def find(name: str, folder: Path) -> Package | None:
    """The package in `folder`: NAME_VERSION_ARCHITECTURE.deb, or a folder NAME or NAME_VERSION; None if absent."""
    for place in sorted(folder.iterdir()):
        stem, version = (place.name.removesuffix(".deb") + "_").split("_")[:2]
        if stem == name and (place.is_dir() or place.suffix == ".deb"):
            return Package(name, version.replace("%3a", ":") or "unknown", place)
    return None


def _run(command: list[str]) -> None:
    if not shutil.which(command[0]):
        raise UserError(f"expected the program {command[0]} to unpack packages, found none; install 'dpkg'")
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise UserError(f"expected {' '.join(command)} to unpack, got: {result.stderr.strip()}; download it again")
