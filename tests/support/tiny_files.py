# SPDX-License-Identifier: Apache-2.0
"""Writers of tiny files in the formats of published data sets, for the tests of their readers."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np


def write_image(path: Path, pixels: np.ndarray) -> Path:
    """Write an image (colour as RGB), making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels[..., ::-1] if pixels.ndim == 3 else pixels)
    return path


def write_text(path: Path, text: str) -> Path:
    """Write a text file, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_pfm(path: Path, values: np.ndarray, little: bool = True) -> Path:
    """Write float32 [H, W] or [H, W, 3] as PFM, bottom row first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    magic, scale = ("PF" if values.ndim == 3 else "Pf"), ("-1.0" if little else "1.0")
    header = f"{magic}\n{values.shape[1]} {values.shape[0]}\n{scale}\n".encode()
    path.write_bytes(header + values[::-1].astype("<f4" if little else ">f4").tobytes())
    return path


def picture(value: int, height: int = 6, width: int = 8) -> np.ndarray:
    """uint8 [H, W, 3] RGB of one colour (value, 2, 3)."""
    return np.full((height, width, 3), (value, 2, 3), np.uint8)


def write_indexed_png(path: Path, indices: np.ndarray) -> Path:
    """Write uint8 [H, W] palette indices as an indexed PNG whose colours are not grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = indices.shape
    rows = b"".join(b"\0" + row.tobytes() for row in indices)  # filter type 0 before each row
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0),
        b"PLTE": bytes(range(255, -1, -1)) * 3,
        b"IDAT": zlib.compress(rows),
        b"IEND": b"",
    }
    content = b"\x89PNG\r\n\x1a\n"
    for name, data in chunks.items():
        content += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    path.write_bytes(content)
    return path
