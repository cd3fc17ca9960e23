# SPDX-License-Identifier: Apache-2.0
"""Image files as cameras and phones make them, for the tests of everything that reads images."""

from __future__ import annotations

import struct

import cv2
import numpy as np


def with_orientation(jpeg: bytes, orientation: int = 3) -> bytes:
    """A JPEG with an EXIF tag that asks viewers to turn it; 3: by 180 degrees."""
    directory = struct.pack("<HHHIII", 1, 0x0112, 3, 1, orientation, 0)
    content = b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8) + directory
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def turned_jpeg(pixels: np.ndarray, quality: int = 95) -> bytes:
    """A JPEG of [H, W, 3] BGR whose EXIF orientation is 3; OpenCV turns it where nobody forbids."""
    return with_orientation(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())


def huge_jpeg(side: int) -> bytes:
    """A small JPEG whose header declares side x side pixels."""
    small = cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes()
    place = small.index(b"\xff\xc0") + 5
    return small[:place] + struct.pack(">HH", side, side) + small[place + 4 :]


def mosaic(rgb: np.ndarray, pattern: str) -> np.ndarray:
    """What a sensor behind colour filters sees of RGB [H, W, 3]; pattern: its top left 2x2, as "rggb"."""
    pixels = np.empty(rgb.shape[:2], rgb.dtype)
    for place, colour in enumerate(pattern):
        window = np.s_[place // 2 :: 2, place % 2 :: 2]
        pixels[window] = rgb[..., "rgb".index(colour)][window]
    return pixels


def yuv(rgb: np.ndarray) -> np.ndarray:
    """Y, U, V float [H, W, 3] of RGB uint8, BT.601 in studio range."""
    red, green, blue = np.moveaxis(rgb.astype(float), -1, 0)
    luma = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
    return np.stack(
        [luma, 128 - 0.148 * red - 0.291 * green + 0.439 * blue, 128 + 0.439 * red - 0.368 * green - 0.071 * blue], -1
    )


def packed_422(rgb: np.ndarray, order: str) -> np.ndarray:
    """uint8 [H, W, 2] of RGB of even width: "uyvy" or "yuyv" in memory."""
    luma, colour = np.rint(yuv(rgb)[..., 0]), np.rint(yuv(rgb)[..., 1:].reshape(len(rgb), -1, 2, 2).mean(2))
    chroma = colour.reshape(len(rgb), -1)  # U V U V .. along each row
    return np.stack([chroma, luma] if order == "uyvy" else [luma, chroma], -1).astype(np.uint8)


def planar_420(rgb: np.ndarray, order: str) -> np.ndarray:
    """uint8 [H * 1.5, W] of RGB of even size: "nv12" (U first) or "nv21"."""
    height, width = rgb.shape[:2]
    colour = yuv(rgb)[..., 1:].reshape(height // 2, 2, width // 2, 2, 2).mean((1, 3))
    colour = colour if order == "nv12" else colour[..., ::-1]
    return np.rint(np.concatenate([yuv(rgb)[..., 0], colour.reshape(height // 2, width)])).astype(np.uint8)


def encoded_as(rgb: np.ndarray, encoding: str) -> np.ndarray:
    """RGB uint8 [H, W, 3] as an array of a ROS encoding; 16 bits span the whole range."""
    if encoding.startswith("nv"):
        return planar_420(rgb, encoding)
    if encoding in ("yuv422", "uyvy"):
        return packed_422(rgb, "uyvy")
    if encoding in ("yuv422_yuy2", "yuyv"):
        return packed_422(rgb, "yuyv")
    deep = "16" in encoding
    name = encoding.replace("16", "#").replace("8", "#")
    pixels = rgb.astype(np.uint16) * 257 if deep else rgb
    if name.startswith("bayer_"):
        return mosaic(pixels, name[6:10])
    if name in ("mono#", "#UC1"):
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        return grey.astype(np.uint16) * 257 if deep else grey
    if name in ("bgr#", "#UC3"):
        return np.ascontiguousarray(pixels[..., ::-1])
    if name == "rgb#":
        return pixels
    alpha = np.full_like(pixels[..., :1], 7)
    return np.concatenate([pixels if name == "rgba#" else pixels[..., ::-1], alpha], -1)
