# SPDX-License-Identifier: Apache-2.0
"""Reading pictures out of unpacked packages, archives inside them included."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np

SUFFIXES = (".jpg", ".jpeg", ".png", ".tga", ".webp", ".rgb", ".sgi", ".dds", ".bmp")
ARCHIVES = (".pk3", ".zip", ".sh3f", ".wz", ".jar")
OPAQUE, OPAQUE_FRACTION = 250, 0.97


@dataclass(frozen=True)
class Picture:
    """A picture file of a package; `path` is its place in the package, inside an archive that of the archive's."""

    path: str
    file: Path
    member: str = ""  # of the archive `file`

    def read(self) -> np.ndarray | None:
        """uint8 [H, W, 3] RGB; None for what cannot be decoded or shows holes."""
        from PIL import Image  # OpenCV reads neither TGA nor SGI

        data = _opened(self.file).read(self.member) if self.member else self.file.read_bytes()
        try:
            with Image.open(io.BytesIO(data)) as image:
                rgba = np.asarray(image.convert("RGBA"))
        # Pillow reports broken files in all of these ways.
        except (OSError, ValueError, SyntaxError, NotImplementedError, Image.DecompressionBombError):
            return None
        if (rgba[..., 3] >= OPAQUE).mean() < OPAQUE_FRACTION:
            return None
        return np.ascontiguousarray(rgba[..., :3])


@lru_cache(maxsize=1)  # thousands of members of one archive are read in a row
def _opened(file: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(file)


def pictures_in(folder: Path) -> Iterator[Picture]:
    """All picture files of an unpacked package, in a fixed order."""
    for file in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        place, suffix = file.relative_to(folder).as_posix(), file.suffix.lower()
        if suffix in SUFFIXES:
            yield Picture(place, file)
        elif suffix in ARCHIVES and zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                names = sorted(archive.namelist())
            for name in names:
                if PurePosixPath(name).suffix.lower() in SUFFIXES:
                    yield Picture(f"{place}/{name}", file, name)
