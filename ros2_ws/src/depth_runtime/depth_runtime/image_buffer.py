# SPDX-License-Identifier: Apache-2.0
"""The bytes of a sensor_msgs/Image as an array, checked before anyone trusts them; of any library's message."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np

from .color import ENCODINGS, PLANAR, PLANAR_ROWS, quoted

_NUMBERS = {"U": "u", "S": "i", "F": "f"}


class ImageBufferError(ValueError):
    """An image message contradicts itself. `cause` is a short name to count by: encoding, size or step."""

    def __init__(self, cause: str, text: str) -> None:
        super().__init__(text)
        self.cause = cause


def layout(encoding: str) -> tuple[np.dtype, int]:
    """Type and channels of an encoding: those that show a picture, and numbers as 32FC1 or 16SC2.

    Raises ImageBufferError for any other.
    """
    if entry := ENCODINGS.get(encoding) or PLANAR.get(encoding):
        return np.dtype(entry.dtype), entry.channels
    if generic := re.fullmatch(r"(8|16|32|64)([USF])(?:C([1-9][0-9]?))?", encoding):
        bits, kind, channels = generic.groups()
        if (kind, bits) not in {("F", "8"), ("F", "16"), ("U", "64"), ("S", "64"), ("U", "32")}:
            return np.dtype(f"{_NUMBERS[kind]}{int(bits) // 8}"), int(channels or 1)
    raise ImageBufferError(
        "encoding", f"expected an encoding among {[*ENCODINGS, *PLANAR, '32FC1']}, got {quoted(encoding)}"
    )


def view_pixels(message: Any) -> np.ndarray:
    """Pixels [H, W] or [H, W, C] in the message's encoding, planar ones [H * rows, W], see color.

    A view of message.data where its byte order is this machine's. message: has the fields of sensor_msgs/Image.
    Raises ImageBufferError.
    """
    dtype, channels = layout(message.encoding)
    if message.width < 1 or message.height < 1:
        raise ImageBufferError("size", f"expected an image with pixels, got {message.width}x{message.height}")
    rows = int(message.height * PLANAR_ROWS.get(message.encoding, 1))
    pixel_bytes = dtype.itemsize * channels
    row_bytes, needed = message.width * pixel_bytes, rows * message.step
    if message.step < row_bytes:
        raise ImageBufferError(
            "step",
            f"expected step >= {row_bytes} bytes for {message.width} px of '{message.encoding}', got {message.step}; "
            "fix the driver",
        )
    if len(message.data) < needed:
        raise ImageBufferError(
            "size",
            f"expected {needed} bytes (step {message.step} x {rows} rows of '{message.encoding}'), "
            f"got {len(message.data)}; fix the driver",
        )
    shape = (rows, message.width) + ((channels,) if channels > 1 else ())
    strides = (message.step, pixel_bytes) + ((dtype.itemsize,) if channels > 1 else ())
    pixels = np.ndarray(shape, dtype, memoryview(message.data), strides=strides)
    if dtype.itemsize > 1 and bool(message.is_bigendian) != (sys.byteorder == "big"):
        pixels = pixels.byteswap()
    return pixels
