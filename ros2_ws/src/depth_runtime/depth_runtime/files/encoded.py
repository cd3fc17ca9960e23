# SPDX-License-Identifier: Apache-2.0
"""Encoded images (JPEG, PNG, WebP and what else OpenCV reads) to pixels as they are stored, or an error that says why.

OpenCV decodes a cut JPEG as far as it goes, in grey, and one that is damaged in the middle with other pixels from there
on, which look like measurements; it takes gigabytes for a file of some kilobytes that declares a huge size, and
turns pixels by an EXIF tag, which tears a calibrated camera's image from its calibration. Here all of it is refused
or switched off, for messages and files alike.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

import cv2
import numpy as np

# More than any camera of a robot; at 8 bits and three channels 192 MB.
MAX_PIXELS = 64_000_000

_PNG, _JPEG, _TIFF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8", (b"II*\0", b"MM\0*")
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})  # tables and reserved, between the starts of frames C0 .. CF
# Code lengths of the table that nearly every encoder takes; in it 64 zero bytes would be a picture of coefficients -1.
_STANDARD_CODE = bytes((0x10, 0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D))
_ZEROS = bytes(64)
# Bytes that some webcams leave over before restart marks and the end, in every frame.
_EXTRA_BYTES = 16


class EncodedImageError(ValueError):
    """Bytes that are no whole image; the text says what they are instead."""


class _Header(NamedTuple):
    """Size that an image declares, 0 for a format not known here; whether it has its end.

    Of a JPEG: where its pixel data is, and whether there are bytes between the segments, as some cameras leave.
    """

    width: int = 0
    height: int = 0
    whole: bool = True
    data: slice = slice(0)
    untidy: bool = False


def decode_pixels(content: bytes, mode: int = cv2.IMREAD_UNCHANGED) -> np.ndarray:
    """Pixels of an encoded image as they are stored, whatever its EXIF orientation says; channels in OpenCV's order.

    mode: OpenCV's flags. IMREAD_UNCHANGED keeps depth and channels. Raises EncodedImageError for bytes that are cut,
    damaged, larger than MAX_PIXELS by their header, or no image.
    """
    check_whole(content)
    if mode != cv2.IMREAD_UNCHANGED:  # which never turns, and takes no other flag
        mode |= cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), mode)
    except cv2.error as error:
        raise EncodedImageError(f"OpenCV cannot decode the image: {error.err}") from error
    if pixels is None:
        raise EncodedImageError("they are not an image or damaged")
    return pixels


def check_whole(content: bytes) -> None:
    """Raise EncodedImageError, without decoding in full, for bytes that are cut, damaged or larger than MAX_PIXELS."""
    if not content.strip(b"\0"):
        raise EncodedImageError("they are empty or zeros")
    try:
        header = _header(content)
    except (struct.error, IndexError):
        raise EncodedImageError("they end in the header") from None
    if header.width * header.height > MAX_PIXELS:
        size = f"{header.width}x{header.height}"
        raise EncodedImageError(f"they declare {size} pixels, {MAX_PIXELS:,} are the most that is decoded")
    if not header.whole:
        raise EncodedImageError("they are truncated")
    if content.startswith(_JPEG):
        _check_jpeg_data(content, header)


def _header(content: bytes) -> _Header:
    if content.startswith(_JPEG):
        return _jpeg_header(content)
    if content.startswith(_PNG):
        width, height = struct.unpack_from(">II", content, 16)
        return _Header(width, height, b"IEND\xae\x42\x60\x82" in content)
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        width, height = _webp_size(content)
        return _Header(width, height, len(content) >= 8 + struct.unpack_from("<I", content, 4)[0])
    if content.startswith(_TIFF):
        return _Header(*_tiff_size(content))
    return _Header()


def _jpeg_header(content: bytes) -> _Header:
    width, height, place, untidy = 0, 0, 2, False
    while True:
        while content[place] != 0xFF:
            place, untidy = place + 1, True
        marker = content[place + 1]
        place += 1 if marker == 0xFF else 2
        if marker == 0xFF or marker in _NO_LENGTH:
            continue
        if marker == 0xD9:
            return _Header(width, height, whole=False)
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = struct.unpack_from(">HH", content, place + 3)
        if marker == 0xDA:
            # A preview before the scan has an end of its own. In the scan FF is followed by 00, so no pixel looks like
            # the end, and behind that cameras append what they like.
            end = content.find(b"\xff\xd9", place)
            return _Header(width, height, end >= 0, slice(place, end), untidy)
        place += struct.unpack_from(">H", content, place)[0]


def _webp_size(content: bytes) -> tuple[int, int]:
    kind = content[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", content, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", content, 26)
    return width & 0x3FFF, height & 0x3FFF


def _tiff_size(content: bytes) -> tuple[int, int]:
    """Of the first picture, from tags 256 and 257, each a number of 16 or 32 bits."""
    order = "<" if content.startswith(b"II") else ">"
    place = struct.unpack_from(f"{order}I", content, 4)[0]
    size = {256: 0, 257: 0}
    for entry in range(struct.unpack_from(f"{order}H", content, place)[0]):
        tag, kind = struct.unpack_from(f"{order}HH", content, place + 2 + 12 * entry)
        if tag in size:
            size[tag] = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", content, place + 10 + 12 * entry)[0]
    return size[256], size[257]


def _check_jpeg_data(content: bytes, header: _Header) -> None:
    """What can be told of the entropy-coded data, which has no checksum; see docs/node.md."""
    if _STANDARD_CODE in content[: header.data.start] and _ZEROS in content[header.data]:
        raise EncodedImageError("they are damaged: a part of the picture is zeros")
    if header.untidy:  # of which libjpeg warns first, and the check ends there
        return
    try:
        from simplejpeg import decode_jpeg
    except ImportError:
        return
    try:
        # An eighth of the size needs all of the data and half of the time.
        decode_jpeg(content, "GRAY", fastdct=True, min_height=1, min_width=1, min_factor=8, strict=True)
    except ValueError as error:
        some_left = re.search(r"(\d+) extraneous bytes before marker 0xd[0-79]", str(error))
        if not (some_left and int(some_left[1]) <= _EXTRA_BYTES):
            raise EncodedImageError(f"they are damaged: {error}") from error
