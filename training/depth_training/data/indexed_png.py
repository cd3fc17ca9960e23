# SPDX-License-Identifier: Apache-2.0
"""Palette indices of PNG files; OpenCV shows only the palette's colours. Format: PNG specification, ISO/IEC 15948."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from depth_runtime.files.images import read_integers
from depth_runtime.files.reading import read_bytes

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTH, _COLOUR_TYPE = 24, 25  # bytes of the file, inside its first chunk
_GREY, _INDEXED = 0, 3


def read_indices(path: Path) -> np.ndarray:
    """uint8 [H, W]: palette indices of an indexed PNG, or the values of a grey one of 8 bit.

    An indexed image of 8 bit is stored just like a grey one, so it is decoded as such. Raises ValueError naming the
    path for other files.
    """
    content = bytearray(read_bytes(path))
    if content[:8] != _SIGNATURE or len(content) < 33 or content[_COLOUR_TYPE] != _INDEXED:
        return read_integers(path, np.uint8)
    content[_COLOUR_TYPE] = _GREY
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    whole = b"IEND" in content[-12:] and content[_DEPTH] == 8
    pixels = cv2.imdecode(_without_palette(content), cv2.IMREAD_UNCHANGED) if whole else None
    if pixels is None:
        raise ValueError(f"expected a whole indexed PNG of 8 bit in {path}, got another or a cut one; copy it again")
    return pixels


def _without_palette(content: bytearray) -> np.ndarray:
    """The file without PLTE and tRNS chunks, which a grey image must not have."""
    kept, start = bytearray(content[:8]), 8
    while start + 8 <= len(content):
        end = start + 12 + int.from_bytes(content[start : start + 4], "big")
        if content[start + 4 : start + 8] not in (b"PLTE", b"tRNS"):
            kept += content[start:end]
        start = end
    return np.frombuffer(kept, np.uint8)
