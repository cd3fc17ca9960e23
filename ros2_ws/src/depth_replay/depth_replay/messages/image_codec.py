# SPDX-License-Identifier: Apache-2.0
"""Images between numpy and messages, with the encodings of cv_bridge and of image_transport's `compressed`.

`format` of a CompressedImage is image_transport's: "rgb8; jpeg compressed bgr8", "mono8; png compressed ".
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from depth_runtime.color import ENCODINGS, PLANAR, PLANAR_ROWS, is_mosaic, quoted, to_rgb
from depth_runtime.files.encoded import EncodedImageError
from depth_runtime.image_buffer import ImageBufferError, layout, view_pixels
from depth_runtime.image_transport import decode_message

from .definitions import COMPRESSED, IMAGE, TYPES

_FROM_BGR = {"rgb": cv2.COLOR_BGR2RGB, "rgba": cv2.COLOR_BGR2RGBA, "bgra": cv2.COLOR_BGR2BGRA}
_Header = TYPES.types["std_msgs/msg/Header"]
_Time = TYPES.types["builtin_interfaces/msg/Time"]


class ImageError(ValueError):
    """An image message or buffer cannot be decoded; the message says what was expected."""


def header(stamp_ns: int, frame_id: str) -> Any:
    """std_msgs/Header with a stamp in nanoseconds."""
    return _Header(stamp=_Time(*divmod(stamp_ns, 1_000_000_000)), frame_id=frame_id)


def is_picture(encoding: str) -> bool:
    """Whether an encoding shows something to look at, that a compressed message can hold."""
    return encoding in ENCODINGS or encoding in PLANAR


def image_message(array: np.ndarray, encoding: str, message_header: Any) -> Any:
    """sensor_msgs/Image of an array [H, W] or [H, W, C] in `encoding`, planar ones [H * rows, W]."""
    dtype, channels = layout(encoding)
    array = np.ascontiguousarray(array, dtype=dtype.newbyteorder("<"))
    if array.shape[2:] != ((channels,) if channels > 1 else ()):
        raise ImageError(f"expected {channels} channels for {encoding}, got an array of shape {array.shape}")
    step = array.shape[1] * channels * array.dtype.itemsize
    return TYPES.types[IMAGE](
        header=message_header,
        height=int(array.shape[0] / PLANAR_ROWS.get(encoding, 1)),
        width=array.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=step,
        data=array.reshape(-1).view(np.uint8),
    )


def image_array(message: Any) -> np.ndarray:
    """Pixels of a sensor_msgs/Image in its own encoding, see `view_pixels`.

    Raises ImageError for an unknown encoding and for data shorter than height x step.
    """
    try:
        return view_pixels(message)
    except ImageBufferError as error:
        raise ImageError(str(error)) from error


def to_bgr(array: np.ndarray, encoding: str) -> np.ndarray:
    """A camera image as uint8 [H, W, 3] BGR, as OpenCV writes it.

    Raises ImageError for an encoding that is no picture.
    """
    if encoding in ("bgr8", "8UC3"):
        return array
    try:
        return cv2.cvtColor(to_rgb(array, encoding), cv2.COLOR_RGB2BGR)
    except ValueError as error:
        raise ImageError(str(error)) from error


def compress(array: np.ndarray, encoding: str, kind: str, message_header: Any, quality: int = 90) -> Any:
    """sensor_msgs/CompressedImage of an image in `encoding`, kind "jpeg" (with quality 1..100) or "png".

    Mosaics and YUV become colour first, but for a mosaic as PNG, which stays one. Raises ImageError for a kind that
    cannot hold the encoding (JPEG holds 8 bits only).
    """
    if kind not in ("jpeg", "png") or (kind == "jpeg" and array.dtype != np.uint8) or array.dtype.kind != "u":
        raise ImageError(f"expected jpeg (8 bits) or png (8 or 16 bits), got {kind} for {encoding}")
    if array.shape[2:] == (2,) or encoding in PLANAR or (is_mosaic(encoding) and kind == "jpeg"):
        array, encoding = to_bgr(array, encoding), "bgr8"
    elif array.ndim == 3:
        array = _as_bgr(array, encoding)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if kind == "jpeg" else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    _, buffer = cv2.imencode(f".{kind}", array, options)
    payload = f"bgr{8 * array.itemsize}" if array.ndim == 3 else ""
    return TYPES.types[COMPRESSED](
        header=message_header, format=f"{encoding}; {kind} compressed {payload}", data=buffer.reshape(-1)
    )


def decompress(message: Any) -> tuple[np.ndarray, str]:
    """Pixels and encoding of a sensor_msgs/CompressedImage.

    Where the encoding named before ";" in `format` differs from the file's in the order of colours only, it is
    restored, as image_transport does; else the file decides, see `decode_message`. Raises ImageError when the data is
    not a whole image.
    """
    try:
        array, encoding = decode_message(bytes(message.data), message.format)
    except EncodedImageError as error:
        raise ImageError(
            f"expected an encoded image, got {message.data.size} bytes of format {quoted(message.format)}: {error}"
        ) from error
    named = message.format[:200].partition(";")[0].strip()
    colours, bits = encoding.rstrip("0123456789"), 8 * array.itemsize
    wanted = named.removesuffix(str(bits))
    if colours == "bgr" and wanted in _FROM_BGR:
        return cv2.cvtColor(array, _FROM_BGR[wanted]), named
    if encoding == "mono16":
        return array, "mono16" if named == "mono16" else "16UC1"
    return array, encoding


def _as_bgr(array: np.ndarray, encoding: str) -> np.ndarray:
    """Colours [H, W, C] of 8 or 16 bits in the order B, G, R, without alpha, at their depth."""
    return np.ascontiguousarray(array[..., 2::-1] if encoding.startswith("rgb") else array[..., :3])
