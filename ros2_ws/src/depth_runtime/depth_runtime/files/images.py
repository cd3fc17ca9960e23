# SPDX-License-Identifier: Apache-2.0
"""Image files: which they are, in which order and pairs, and their pixels, whole or with an error that names the file.

Everything else that lies in a folder of images is passed over: other files, hidden ones, those of a Mac's archive.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..color import bits_used, to_8_bits
from .atomic import write_whole
from .encoded import EncodedImageError, check_whole, decode_pixels
from .reading import read_bytes

log = logging.getLogger(__name__)

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".pgm", ".ppm", ".webp")


def natural_order(path: Path) -> tuple[Any, ...]:
    """Sort key of paths in which 2.png stands before 10.png."""
    parts = (*path.parts[:-1], path.stem)
    split = (re.split(r"([0-9]+)", part) for part in parts)
    return tuple([int(word) if place % 2 else word for place, word in enumerate(words)] for words in split), str(path)


def is_image(path: Path) -> bool:
    """Whether the path is an image file by its name, in upper or lower case."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()


def images_in(folder: Path, ending: str = "") -> list[Path]:
    """Image files of a folder whose stem ends with `ending`, in natural order.

    Raises ValueError when the folder is missing, has none, or has two of one stem.
    """
    if not folder.is_dir():
        named = ending and f" named *{ending}"
        raise ValueError(f"expected a folder of images{named} at {folder}, got nothing there; check the path")
    found = sorted((p for p in folder.iterdir() if p.stem.endswith(ending) and is_image(p)), key=natural_order)
    if not found:
        inside = " (one folder deeper?)" if any(path.is_dir() for path in folder.iterdir()) else ""
        raise ValueError(
            f"expected images {ending and f'named *{ending} '}({', '.join(IMAGE_SUFFIXES)}) in {folder}{inside}, "
            "got none; check the folder"
        )
    for first, second in pairwise(found):
        if first.stem == second.stem:
            raise ValueError(f"expected one image of each name, got {first} and {second.name}; remove one of them")
    return found


def images_below(folder: Path) -> list[Path]:
    """Image files of a folder and of all folders in it, in natural order. Raises ValueError when there is none."""
    found = sorted(filter(is_image, folder.rglob("*")), key=natural_order)
    if not found:
        raise ValueError(f"expected images below {folder}, got none; check the folder")
    return found


def paired_by_name(left: Path, right: Path) -> list[tuple[Path, Path]]:
    """Left and right images of two folders with the same stem (the suffix may differ), in natural order.

    Raises ValueError naming an image without partner.
    """
    lefts, rights = ({path.stem: path for path in images_in(folder)} for folder in (left, right))
    for here, there, folder in ((lefts, rights, right), (rights, lefts, left)):
        alone = [stem for stem in here if stem not in there]
        if alone:
            raise ValueError(
                f"expected an image named {alone[0]} in {folder} to match {here[alone[0]]}, got none "
                f"({len(alone)} missing in all); remove the unpaired images or add their partners"
            )
    return [(path, rights[stem]) for stem, path in lefts.items()]


def image_named(stem: Path) -> Path:
    """The image file of this path without suffix. Raises ValueError naming the path when there is none."""
    for suffix in (*IMAGE_SUFFIXES, *map(str.upper, IMAGE_SUFFIXES)):
        path = stem.with_name(stem.name + suffix)
        if path.is_file():
            return path
    raise ValueError(f"expected an image {stem}{{{','.join(IMAGE_SUFFIXES)}}}, got none; check the folder")


def read_image_bytes(path: Path) -> bytes:
    """The bytes of an image file that is whole. Raises ValueError naming a missing, cut or damaged file."""
    content = read_bytes(path)
    try:
        check_whole(content)
    except EncodedImageError as error:
        raise _no_image(path, content, error) from error
    return content


def read_pixels(path: Path, mode: int = cv2.IMREAD_UNCHANGED) -> np.ndarray:
    """Pixels as they are stored, see `decode_pixels`. Raises ValueError naming a missing, cut or damaged file."""
    content = read_bytes(path)
    try:
        return decode_pixels(content, mode)
    except EncodedImageError as error:
        raise _no_image(path, content, error) from error


def _no_image(path: Path, content: bytes, reason: EncodedImageError) -> ValueError:
    return ValueError(
        f"expected a whole image in {path}, got {len(content)} bytes that are none: {reason}; copy it again"
    )


def read_rgb(path: Path) -> np.ndarray:
    """Image as uint8 [H, W, 3] RGB; grey images get three equal channels, 16-bit ones are scaled by the bits they use.

    Images that belong together need one scale: `read_rgb_together`.
    """
    return read_rgb_together(path)[0]


def read_rgb_together(*paths: Path) -> list[np.ndarray]:
    """Images as `read_rgb`, those of 16 bits by one scale, so that a point stays as bright in all of them."""
    images = [read_pixels(path, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH) for path in paths]
    bits = bits_used(images)
    if any(image.dtype == np.uint16 for image in images):
        _say_bits(bits)
    return [cv2.cvtColor(to_8_bits(image, bits), cv2.COLOR_BGR2RGB) for image in images]


@cache
def _say_bits(bits: int) -> None:
    log.info("there are 16-bit images that use %d bits: 0 .. %d is read as black .. white", bits, (1 << bits) - 1)


def read_integers(path: Path, dtype: type[np.unsignedinteger]) -> np.ndarray:
    """One channel of exactly this type, [H, W]. Raises ValueError naming the path for any other pixels."""
    pixels = read_pixels(path)
    if pixels.ndim != 2 or pixels.dtype != dtype:
        raise ValueError(
            f"expected one channel of {np.dtype(dtype).name} in {path}, got {pixels.dtype} {list(pixels.shape)}; "
            "copy the original file, not a converted one"
        )
    return pixels


def write_png(path: Path, pixels: np.ndarray, compression: int | None = None) -> None:
    """Write [H, W], or [H, W, 3] in RGB, of uint8 or uint16 in one step. Makes the folder.

    compression: 0 to 9, OpenCV's own choice without.
    """
    options = () if compression is None else (cv2.IMWRITE_PNG_COMPRESSION, compression)
    encoded, content = cv2.imencode(".png", pixels if pixels.ndim == 2 else pixels[:, :, ::-1], options)
    assert encoded
    write_whole(path, content.tobytes())
