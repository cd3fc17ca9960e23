# SPDX-License-Identifier: Apache-2.0
"""Images between numpy and messages, with the encodings of cv_bridge and of image_transport's `compressed`.

`format` of a CompressedImage is image_transport's: "rgb8; jpeg compressed bgr8", "mono8; png compressed ".
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from depth_runtime.color import to_rgb

from .definitions import COMPRESSED, IMAGE, TYPES

ENCODINGS: dict[str, tuple[str, int]] = {
    "rgb8": ("u1", 3),
    "bgr8": ("u1", 3),
    "rgba8": ("u1", 4),
    "bgra8": ("u1", 4),
    "mono8": ("u1", 1),
    "8UC1": ("u1", 1),
    "8UC3": ("u1", 3),
    "mono16": ("u2", 1),
    "16UC1": ("u2", 1),
    "32FC1": ("f4", 1),
}
_FROM_BGR = {"rgb8": cv2.COLOR_BGR2RGB, "rgba8": cv2.COLOR_BGR2RGBA, "bgra8": cv2.COLOR_BGR2BGRA}
_Header = TYPES.types["std_msgs/msg/Header"]
_Time = TYPES.types["builtin_interfaces/msg/Time"]


class ImageError(ValueError):
    """An image message or buffer cannot be decoded; the message says what was expected."""


def header(stamp_ns: int, frame_id: str) -> Any:
    """std_msgs/Header with a stamp in nanoseconds."""
    return _Header(stamp=_Time(*divmod(stamp_ns, 1_000_000_000)), frame_id=frame_id)


def image_message(array: np.ndarray, encoding: str, message_header: Any) -> Any:
    """sensor_msgs/Image of an array [H, W] or [H, W, C] in `encoding`."""
    kind, channels = _layout(encoding)
    array = np.ascontiguousarray(array, dtype=f"<{kind}")
    if array.shape[2:] != ((channels,) if channels > 1 else ()):
        raise ImageError(f"expected {channels} channels for {encoding}, got an array of shape {array.shape}")
    step = array.shape[1] * channels * array.dtype.itemsize
    return TYPES.types[IMAGE](
        header=message_header,
        height=array.shape[0],
        width=array.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=step,
        data=array.reshape(-1).view(np.uint8),
    )


def image_array(message: Any) -> np.ndarray:
    """Pixels [H, W] or [H, W, C] of a sensor_msgs/Image in its own encoding, a view where `step` allows.

    Raises ImageError for an unknown encoding and for data shorter than height x step.
    """
    kind, channels = _layout(message.encoding)
    dtype = np.dtype(f"{'>' if message.is_bigendian else '<'}{kind}")
    row_bytes = message.width * channels * dtype.itemsize
    if message.step < row_bytes or message.data.size < message.height * message.step:
        raise ImageError(
            f"expected {message.height} rows of step >= {row_bytes} bytes for {message.encoding}, "
            f"got step {message.step} and {message.data.size} bytes"
        )
    rows = message.data[: message.height * message.step].reshape(message.height, message.step)
    pixels = np.ascontiguousarray(rows[:, :row_bytes]).view(dtype)
    shape = (message.height, message.width, channels) if channels > 1 else (message.height, message.width)
    return pixels.reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def to_bgr(array: np.ndarray, encoding: str) -> np.ndarray:
    """A colour or grey camera image as uint8 [H, W, 3] BGR, as OpenCV writes it.

    Raises ImageError for an encoding that is no picture.
    """
    if encoding in ("bgr8", "8UC3"):
        return array
    try:
        return cv2.cvtColor(to_rgb(array, {"8UC1": "mono8"}.get(encoding, encoding)), cv2.COLOR_RGB2BGR)
    except ValueError as error:
        raise ImageError(str(error)) from error


def compress(array: np.ndarray, encoding: str, kind: str, message_header: Any, quality: int = 90) -> Any:
    """sensor_msgs/CompressedImage of an image in `encoding`, kind "jpeg" (with quality 1..100) or "png".

    Raises ImageError for a kind that cannot hold the encoding (JPEG holds 8 bits only).
    """
    colour = array.ndim == 3
    if kind not in ("jpeg", "png") or (kind == "jpeg" and array.dtype != np.uint8) or array.dtype.kind != "u":
        raise ImageError(f"expected jpeg (8 bits) or png (8 or 16 bits), got {kind} for {encoding}")
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if kind == "jpeg" else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    _, buffer = cv2.imencode(f".{kind}", to_bgr(array, encoding) if colour else array, options)
    return TYPES.types[COMPRESSED](
        header=message_header,
        format=f"{encoding}; {kind} compressed {'bgr8' if colour else ''}",
        data=buffer.reshape(-1),
    )


def decompress(message: Any) -> tuple[np.ndarray, str]:
    """Pixels and encoding of a sensor_msgs/CompressedImage.

    The encoding named before ";" in `format` is restored, as image_transport does; without one the file decides:
    bgr8, mono8 or 16UC1. Raises ImageError when the data is not an image.
    """
    array = cv2.imdecode(message.data, cv2.IMREAD_UNCHANGED) if message.data.size else None
    if array is None:
        raise ImageError(
            f"expected an encoded image ('{message.format}'), got {message.data.size} bytes that do not decode"
        )
    named = message.format.split(";")[0].strip() if ";" in message.format else ""
    if array.ndim == 3:
        array = array[..., :3]
        return (cv2.cvtColor(array, _FROM_BGR[named]), named) if named in _FROM_BGR else (array, "bgr8")
    if array.dtype == np.uint16:
        return array, named if named in ("mono16", "16UC1") else "16UC1"
    return array, "mono8"


def _layout(encoding: str) -> tuple[str, int]:
    if encoding not in ENCODINGS:
        raise ImageError(f"expected an encoding among {sorted(ENCODINGS)}, got '{encoding}'")
    return ENCODINGS[encoding]
