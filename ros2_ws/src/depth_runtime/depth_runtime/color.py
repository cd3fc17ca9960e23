# SPDX-License-Identifier: Apache-2.0
"""Camera encodings to RGB, without a copy where none is needed."""

from __future__ import annotations

import cv2
import numpy as np

# ROS encoding -> (dtype, channels, OpenCV conversion to RGB or None).
ENCODINGS: dict[str, tuple[type, int, int | None]] = {
    "rgb8": (np.uint8, 3, None),
    "bgr8": (np.uint8, 3, cv2.COLOR_BGR2RGB),
    "rgba8": (np.uint8, 4, cv2.COLOR_RGBA2RGB),
    "bgra8": (np.uint8, 4, cv2.COLOR_BGRA2RGB),
    "mono8": (np.uint8, 1, cv2.COLOR_GRAY2RGB),
    "mono16": (np.uint16, 1, cv2.COLOR_GRAY2RGB),
}


def to_rgb(image: np.ndarray, encoding: str) -> np.ndarray:
    """RGB uint8 [H, W, 3] of an image in one of ENCODINGS; `image` itself where it is RGB already.

    image: [H, W] or [H, W, C] of the encoding's dtype. mono16 spans its whole range 0..65535 (as cv_bridge does).
    Raises ValueError for an unknown encoding, dtype or channel count.
    """
    if encoding not in ENCODINGS:
        raise ValueError(f"expected an encoding among {list(ENCODINGS)}, got '{encoding}'")
    dtype, channels, code = ENCODINGS[encoding]
    got = 1 if image.ndim == 2 else image.shape[2]
    if image.dtype != dtype or got != channels:
        raise ValueError(
            f"expected {np.dtype(dtype)} with {channels} channels for '{encoding}', got {image.dtype} with {got}"
        )
    if dtype is np.uint16:
        image = cv2.convertScaleAbs(image, alpha=255 / 65535)
    return image if code is None else cv2.cvtColor(image, code)
