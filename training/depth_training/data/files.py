# SPDX-License-Identifier: Apache-2.0
"""Image files: read whole, or with an error that names the file, and written in one step."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

IMAGE_SUFFIXES = (".png", ".webp", ".jpg", ".jpeg", ".ppm", ".bmp")
DISPARITY_SCALE = 256.0
# OpenCV decodes a cut file as far as it goes, in grey or black, and only prints a warning; Pillow wants no end.
_ENDS = {b"\x89PNG": b"IEND\xae\x42\x60\x82", b"\xff\xd8\xff": b"\xff\xd9"}


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises ValueError naming the path when there is no such file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"expected the file {path}, got none ({error.strerror}); check the folder") from error


def read_text(path: Path) -> str:
    """The file's text. Raises ValueError naming the path when there is no such file or it is not text."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"expected text in {path}, got other bytes ({error.reason}); copy the file again") from error


def read_image_bytes(path: Path) -> bytes:
    """The bytes of an image file that has its end. Raises ValueError naming a missing or cut file."""
    content = read_bytes(path)
    end = next((tail for head, tail in _ENDS.items() if content.startswith(head)), b"")
    # Some writers pad after the end.
    if not content or end not in content[-64:]:
        raise _no_image(path, content)
    return content


def read_pixels(path: Path, mode: int = cv2.IMREAD_UNCHANGED) -> np.ndarray:
    """Pixels in the file's depth and OpenCV's channel order. Raises ValueError naming a missing or cut file."""
    content = read_image_bytes(path)
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), mode)
    if pixels is None:
        raise _no_image(path, content)
    return pixels


def _no_image(path: Path, content: bytes) -> ValueError:
    return ValueError(f"expected a whole image in {path}, got {len(content)} bytes that are none; copy it again")


def read_rgb(path: Path) -> np.ndarray:
    """Image as uint8 [H, W, 3] RGB; grey images get three equal channels."""
    return cv2.cvtColor(read_pixels(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def read_integers(path: Path, dtype: type[np.unsignedinteger]) -> np.ndarray:
    """One channel of exactly this type, [H, W]. Raises ValueError naming the path for any other pixels."""
    pixels = read_pixels(path)
    if pixels.ndim != 2 or pixels.dtype != dtype:
        raise ValueError(
            f"expected one channel of {np.dtype(dtype).name} in {path}, got {pixels.dtype} {list(pixels.shape)}; "
            "copy the original file, not a converted one"
        )
    return pixels


def read_scaled(path: Path, scale: float = DISPARITY_SCALE) -> np.ndarray:
    """uint16 PNG as float32 [H, W] of value / scale, NaN where 0 (KITTI's convention)."""
    stored = read_integers(path, np.uint16)
    return np.where(stored > 0, stored / np.float32(scale), np.float32(np.nan))


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write [H, W], or [H, W, 3] in RGB, of uint8 or uint16; a reader never meets half a file. Makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole, content = cv2.imencode(".png", pixels if pixels.ndim == 2 else pixels[:, :, ::-1])
    assert whole
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content.tobytes())
    os.replace(temporary, path)


def image_named(stem: Path) -> Path:
    """The image file of this path without suffix. Raises ValueError naming the path when there is none."""
    for suffix in IMAGE_SUFFIXES:
        path = stem.with_name(stem.name + suffix)
        if path.is_file():
            return path
    raise ValueError(f"expected an image {stem}{{{','.join(IMAGE_SUFFIXES)}}}, got none; check the folder")


def images_in(folder: Path, ending: str = "") -> list[Path]:
    """Image files of a folder whose stem ends with `ending`, sorted. Raises ValueError when none is there."""
    found = sorted(p for p in folder.glob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.stem.endswith(ending))
    if not found:
        raise ValueError(f"expected images *{ending}.* in {folder}, got none; check the folder")
    return found
