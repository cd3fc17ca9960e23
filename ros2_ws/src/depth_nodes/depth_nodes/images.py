# SPDX-License-Identifier: Apache-2.0
"""Image messages of a frame to 8-bit pictures: views of the messages' bytes where they are such, checked before use."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from depth_runtime.color import ENCODINGS, PLANAR, bits_used, quoted, to_8_bits, to_rgb
from depth_runtime.files.encoded import EncodedImageError
from depth_runtime.image_buffer import ImageBufferError, view_pixels
from depth_runtime.image_transport import decode_message
from sensor_msgs.msg import CompressedImage, Image

from .problems import BadMessageError

# What a pipeline takes as it is.
_PICTURES = frozenset({"rgb8", "bgr8", "rgba8", "bgra8", "mono8", "8UC1", "8UC3", "8UC4"})


# Frames that need fewer bits until fewer are taken: ten seconds at 30 Hz.
_PATIENCE = 300


class BitsInUse:
    """How many of 16 bits the images of a camera, or of a pair, use: the fewest of color.DEPTHS that hold every pixel.

    The number grows at once when a brighter pixel comes, and shrinks when the last _PATIENCE frames needed fewer, so
    that one broken frame does not leave all others dark; in between nothing flickers. `say` is told of each change.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.bits = 0
        self._lately, self._frames = 0, 0  # since so many were last needed

    def see(self, images: Mapping[str, np.ndarray]) -> None:
        """Take notice of the 16-bit images of one frame, by their topics."""
        needed = bits_used(images.values())
        self._lately, self._frames = max(self._lately, needed), self._frames + 1
        if needed < self.bits and self._frames < _PATIENCE:
            return
        if self._lately != self.bits:
            self.bits = self._lately
            most = max(int(image.max()) for image in images.values())
            self._say(
                f"{' and '.join(images)}: 16-bit images, now with pixels up to {most}: {self.bits} of 16 bits are in "
                f"use, so 0 .. {(1 << self.bits) - 1} is black .. white"
            )
        self._lately, self._frames = 0, 0


class ImageDecoder:
    """Decodes the images of a frame together, 16-bit ones of all its cameras by one scale, see `BitsInUse`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._deep = BitsInUse(say)

    def decode(
        self, messages: Mapping[str, Image | CompressedImage], topics: Mapping[str, str]
    ) -> tuple[dict[str, np.ndarray], dict[str, str]]:
        """Pixels and encodings of messages, by their keys; topics: their topics' names, for errors.

        Encodings are those of 8-bit pictures, see color.ENCODINGS. Raises BadMessageError (causes: encoding, size,
        step, compressed).
        """
        images, encodings = {}, {}
        for key, message in messages.items():
            decode = decode_compressed if isinstance(message, CompressedImage) else decode_image
            images[key], encodings[key] = decode(message, topics[key])
        if deep := {topics[key]: image for key, image in images.items() if image.dtype == np.uint16}:
            self._deep.see(deep)
        for key, encoding in encodings.items():
            if encoding not in _PICTURES:
                images[key], encodings[key] = _picture(images[key], encoding, self._deep.bits, topics[key])
        return images, encodings


def _picture(image: np.ndarray, encoding: str, bits: int, topic: str) -> tuple[np.ndarray, str]:
    """Grey stays grey, everything else becomes RGB."""
    if encoding in ("mono16", "16UC1"):
        return to_8_bits(image, bits), "mono8"
    try:
        return to_rgb(image, encoding, bits), "rgb8"
    except ValueError as error:
        raise BadMessageError("size", f"{topic}: {error}") from error


def decode_image(message: Image, topic: str) -> tuple[np.ndarray, str]:
    """Pixels and encoding of a sensor_msgs/Image.

    Returns a view of message.data for the encodings of depth_runtime.color; any other encoding goes through cv_bridge
    where that is installed. Raises BadMessageError (causes: encoding, size, step).
    """
    if message.encoding not in ENCODINGS and message.encoding not in PLANAR:
        return _through_cv_bridge(message, topic), "rgb8"
    try:
        return view_pixels(message), message.encoding
    except ImageBufferError as error:
        raise BadMessageError(error.cause, f"{topic}: {error}") from error


def _through_cv_bridge(message: Image, topic: str) -> np.ndarray:
    try:
        from cv_bridge import CvBridge
    except ImportError:
        raise BadMessageError(
            "encoding",
            f"expected an encoding among {[*ENCODINGS, *PLANAR]} on {topic}, got {quoted(message.encoding)}; "
            "set the driver to one of them",
        ) from None
    try:
        return CvBridge().imgmsg_to_cv2(message, "rgb8")
    except (AttributeError, RuntimeError, TypeError, ValueError, cv2.error) as error:  # CvBridgeError is a TypeError
        raise BadMessageError(
            "encoding",
            f"cv_bridge could not convert {quoted(message.encoding)} on {topic} to rgb8: {quoted(str(error), 300)}; "
            f"set the driver to one of {[*ENCODINGS, *PLANAR]}",
        ) from error


def decode_compressed(message: CompressedImage, topic: str) -> tuple[np.ndarray, str]:
    """Pixels and encoding of a JPEG, PNG, WebP or TIFF message, see `decode_message`.

    Raises BadMessageError (cause: compressed).
    """
    data = bytes(message.data)
    try:
        return decode_message(data, message.format)
    except EncodedImageError as error:
        raise BadMessageError(
            "compressed",
            f"expected a whole JPEG, PNG or WebP image on {topic}, got {len(data)} bytes of format "
            f"{quoted(message.format)}: {error}; check the link and the driver",
        ) from error
