# SPDX-License-Identifier: Apache-2.0
"""Messages of a stereo camera whose calibration and pixels are known."""

from __future__ import annotations

import cv2
import numpy as np
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

# A calibration in which no two numbers can be mistaken for each other.
HEIGHT, WIDTH = 64, 160
FX, FY, CX_LEFT, CX_RIGHT, CY, BASELINE_M = 410.0, 395.0, 83.0, 79.5, 30.25, 0.125
FRAME = "left_optical"


def stamp_of(stamp_s: float) -> tuple[int, int]:
    return int(stamp_s), round((stamp_s - int(stamp_s)) * 1e9)


def make_info(side: str, size: tuple[int, int] = (HEIGHT, WIDTH), stamp_s: float = 0.0, **p: float) -> CameraInfo:
    """CameraInfo of one side; keyword p overrides single numbers of fx, fy, cx, cy, tx."""
    fx, fy, cy = p.get("fx", FX), p.get("fy", FY), p.get("cy", CY)
    cx = p.get("cx", CX_LEFT if side == "left" else CX_RIGHT)
    tx = p.get("tx", 0.0 if side == "left" else -fx * BASELINE_M)
    # K, D and R are those of the camera before rectification: what is computed must follow P alone.
    info = CameraInfo(height=size[0], width=size[1], distortion_model="plumb_bob", d=[-0.28, 0.07, 0.0, 0.0, 0.01])
    info.header.stamp.sec, info.header.stamp.nanosec = stamp_of(stamp_s)
    info.header.frame_id = FRAME
    info.k = [1.05 * fx, 0.0, cx + 2.0, 0.0, 1.04 * fy, cy - 3.0, 0.0, 0.0, 1.0]
    info.r = [0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0]
    info.p = [fx, 0.0, cx, tx, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return info


def make_image(pixels: np.ndarray, encoding: str = "rgb8", stamp_s: float = 0.0) -> Image:
    """Image message of pixels [H, W] or [H, W, C] in the encoding's dtype."""
    image = Image(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding)
    image.step = pixels.shape[1] * pixels.itemsize * (pixels.shape[2] if pixels.ndim == 3 else 1)
    image.data = pixels.tobytes()
    image.header.stamp.sec, image.header.stamp.nanosec = stamp_of(stamp_s)
    image.header.frame_id = FRAME
    return image


def make_compressed(pixels: np.ndarray, stamp_s: float = 0.0, suffix: str = ".png", cut: int | None = None):
    """CompressedImage of RGB pixels [H, W, 3]; cut: bytes that are kept of the file, as an end of a slice."""
    image = CompressedImage(format=suffix[1:], data=cv2.imencode(suffix, pixels[..., ::-1])[1].tobytes()[:cut])
    image.header.stamp.sec, image.header.stamp.nanosec = stamp_of(stamp_s)
    image.header.frame_id = FRAME
    return image


def scene(size: tuple[int, int] = (HEIGHT, WIDTH), seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random RGB pair; the probe predicts known maps for it. Blue of the left image holds class ids 0..2."""
    rng = np.random.default_rng(seed)
    left, right = rng.integers(1, 255, (2, *size, 3), np.uint8)
    left[..., 2] = rng.integers(0, 3, size)
    return left, right
