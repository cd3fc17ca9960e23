# SPDX-License-Identifier: Apache-2.0
"""Image messages to numpy: a view of the message's bytes, checked before anyone trusts it."""

from __future__ import annotations

import sys

import cv2
import numpy as np
from depth_runtime.color import ENCODINGS
from sensor_msgs.msg import CompressedImage, Image

from .problems import BadMessageError


def decode_image(message: Image, topic: str) -> tuple[np.ndarray, str]:
    """Pixels and encoding of a sensor_msgs/Image.

    Returns a view [H, W] or [H, W, C] of message.data for the encodings of depth_runtime.color.ENCODINGS; any other
    encoding goes through cv_bridge where that is installed. Raises BadMessageError (causes: encoding, size, step).
    """
    if message.width < 1 or message.height < 1:
        raise BadMessageError("size", f"expected pixels on {topic}, got {message.width}x{message.height}")
    if message.encoding not in ENCODINGS:
        return _through_cv_bridge(message, topic), "rgb8"
    dtype, channels, _ = ENCODINGS[message.encoding]
    pixel_bytes = np.dtype(dtype).itemsize * channels
    if message.step < message.width * pixel_bytes:
        raise BadMessageError(
            "step",
            f"expected step >= {message.width * pixel_bytes} bytes for {message.width} px of '{message.encoding}' "
            f"on {topic}, got {message.step}; fix the driver",
        )
    if len(message.data) < message.step * message.height:
        raise BadMessageError(
            "size",
            f"expected {message.step * message.height} bytes (step {message.step} x height {message.height}) "
            f"on {topic}, got {len(message.data)}; fix the driver",
        )
    shape = (message.height, message.width) + ((channels,) if channels > 1 else ())
    strides = (message.step, pixel_bytes) + ((np.dtype(dtype).itemsize,) if channels > 1 else ())
    image = np.ndarray(shape, dtype, memoryview(message.data), strides=strides)
    if dtype is np.uint16 and bool(message.is_bigendian) != (sys.byteorder == "big"):
        image = image.byteswap()
    return image, message.encoding


def _through_cv_bridge(message: Image, topic: str) -> np.ndarray:
    try:
        from cv_bridge import CvBridge, CvBridgeError
    except ImportError:
        raise BadMessageError(
            "encoding",
            f"expected an encoding among {list(ENCODINGS)} on {topic}, got '{message.encoding}'; "
            "set the driver to one of them, or install cv_bridge, which converts more",
        ) from None
    try:
        return CvBridge().imgmsg_to_cv2(message, "rgb8")
    except (CvBridgeError, ValueError, cv2.error) as error:
        raise BadMessageError(
            "encoding", f"cv_bridge could not convert '{message.encoding}' on {topic} to rgb8: {error}"
        ) from error


def decode_compressed(message: CompressedImage, topic: str) -> tuple[np.ndarray, str]:
    """Pixels uint8 [H, W, 3] and encoding "bgr8" of a JPEG, PNG or WebP message.

    A truncated file is refused: decoders would fill its missing part with grey, which looks like a measurement.
    Raises BadMessageError (cause: compressed).
    """
    data = np.frombuffer(memoryview(message.data), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if _is_whole(data.tobytes()) else None
    if image is None:
        raise BadMessageError(
            "compressed",
            f"expected a whole JPEG, PNG or WebP image on {topic}, got {data.size} bytes of format "
            f"'{message.format}' that are truncated or not an image; check the link and the driver",
        )
    return image, "bgr8"


def _is_whole(data: bytes) -> bool:
    """Whether an image file carries its own end mark; drivers may append zeros to it."""
    data = data.rstrip(b"\0")
    if data.startswith(b"\xff\xd8"):
        return data.endswith(b"\xff\xd9")
    if data.startswith(b"\x89PNG"):
        return b"IEND" in data[-12:]
    if data.startswith(b"RIFF"):
        return len(data) + 8 >= int.from_bytes(data[4:8], "little") + 8
    return bool(data)
