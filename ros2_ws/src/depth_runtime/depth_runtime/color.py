# SPDX-License-Identifier: Apache-2.0
"""Camera encodings to RGB, without a copy where none is needed.

Names and byte orders are those of ROS's sensor_msgs/image_encodings; 8UC1, 8UC3, 8UC4 and their 16-bit kin, which
name no colours, are taken as grey and in OpenCV's order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np

# Bits that cameras fill of 16.
DEPTHS = (8, 10, 12, 14, 16)


class Encoding(NamedTuple):
    """Type and channels of an array [H, W] or [H, W, C], OpenCV's conversion to RGB (None: it is RGB).

    multiples: of what the array's rows and columns must be, as neighbouring pixels share colours.
    """

    dtype: type
    channels: int
    code: int | None
    multiples: tuple[int, int] = (1, 1)


def _deep(code: int | None, channels: int, *names: str) -> dict[str, Encoding]:
    """The 8-bit and the 16-bit encoding of each name, "#" standing for the bits."""
    types = {"8": np.uint8, "16": np.uint16}
    return {name.replace("#", bits): Encoding(types[bits], channels, code) for name in names for bits in types}


# ROS names the top left 2x2 pixels, OpenCV the ones from (1, 1) on, so rggb is its BG.
ENCODINGS: dict[str, Encoding] = {
    **_deep(None, 3, "rgb#"),
    **_deep(cv2.COLOR_BGR2RGB, 3, "bgr#", "#UC3"),
    **_deep(cv2.COLOR_RGBA2RGB, 4, "rgba#"),
    **_deep(cv2.COLOR_BGRA2RGB, 4, "bgra#", "#UC4"),
    **_deep(cv2.COLOR_GRAY2RGB, 1, "mono#", "#UC1"),
    **_deep(cv2.COLOR_BayerBG2RGB, 1, "bayer_rggb#"),
    **_deep(cv2.COLOR_BayerRG2RGB, 1, "bayer_bggr#"),
    **_deep(cv2.COLOR_BayerGR2RGB, 1, "bayer_gbrg#"),
    **_deep(cv2.COLOR_BayerGB2RGB, 1, "bayer_grbg#"),
    **dict.fromkeys(("yuv422", "uyvy"), Encoding(np.uint8, 2, cv2.COLOR_YUV2RGB_UYVY, (1, 2))),
    **dict.fromkeys(("yuv422_yuy2", "yuyv"), Encoding(np.uint8, 2, cv2.COLOR_YUV2RGB_YUY2, (1, 2))),
}
# Brightness first, then rows of colour below it: [H * rows, W].
PLANAR: dict[str, Encoding] = {
    "nv12": Encoding(np.uint8, 1, cv2.COLOR_YUV2RGB_NV12, (3, 2)),
    "nv21": Encoding(np.uint8, 1, cv2.COLOR_YUV2RGB_NV21, (3, 2)),
}
PLANAR_ROWS = {"nv12": 1.5, "nv21": 1.5}


def is_mosaic(encoding: str) -> bool:
    """Whether an image of this encoding is one of single colours, which no resize or JPEG should touch."""
    return encoding.startswith("bayer_")


def quoted(text: str, limit: int = 60) -> str:
    """A name out of a message, for a text that people read: quoted, and cut where it is too long."""
    return repr(text) if len(text) <= limit else f"{text[:limit]!r}... ({len(text)} characters)"


def bits_used(images: Iterable[np.ndarray]) -> int:
    """The fewest of DEPTHS that hold the brightest pixel of all images; 8 for 8-bit images and for none."""
    most = max((int(image.max()) for image in images if image.dtype == np.uint16), default=0)
    return next(bits for bits in DEPTHS if most < 1 << bits)


def to_8_bits(image: np.ndarray, bits: int) -> np.ndarray:
    """uint16 of 0 .. 2**bits - 1 to uint8 of 0 .. 255; uint8 as it is."""
    return image if image.dtype == np.uint8 else cv2.convertScaleAbs(image, alpha=255 / ((1 << bits) - 1))


def to_rgb(image: np.ndarray, encoding: str, bits: int | None = None) -> np.ndarray:
    """RGB uint8 [H, W, 3] of an image in one of ENCODINGS or PLANAR; `image` itself where it is RGB already.

    image: [H, W] or [H, W, C] of the encoding's dtype, planar ones [H * rows, W]. bits: what 16-bit images use, None:
    as many as this one uses; images that belong together need one number, see `bits_used`. Raises ValueError for an
    unknown encoding, a dtype, a channel count or a size that is not the encoding's.
    """
    known = ENCODINGS | PLANAR
    if encoding not in known:
        raise ValueError(f"expected an encoding among {list(known)}, got {quoted(encoding)}")
    dtype, channels, code, multiples = known[encoding]
    got = 1 if image.ndim == 2 else image.shape[2]
    if image.dtype != dtype or got != channels:
        raise ValueError(
            f"expected {np.dtype(dtype)} with {channels} channels for '{encoding}', got {image.dtype} with {got}"
        )
    if image.shape[0] % multiples[0] or image.shape[1] % multiples[1]:
        raise ValueError(
            f"expected an even width and height for '{encoding}', got an array {image.shape}; change the driver's size"
        )
    image = to_8_bits(image, bits_used([image]) if bits is None else bits)
    return image if code is None else cv2.cvtColor(image, code)
