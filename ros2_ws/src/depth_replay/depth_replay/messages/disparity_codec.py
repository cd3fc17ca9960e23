# SPDX-License-Identifier: Apache-2.0
"""Disparity between arrays and messages: DisparityImage, and 16-bit PNG in KITTI's scale.

Two conventions meet here. A picture disparity is x_left - x_right in pixels, as truth files and metrics have it.
A stereo_msgs/DisparityImage holds d = x_left - x_right - (cx_left - cx_right), so that Z = f * T / d.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from depth_runtime.camera import StereoCamera
from depth_runtime.files.disparity_png import STEPS_PER_PX, disparity_of

from .definitions import DISPARITY, TYPES
from .image_codec import ImageError, image_array, image_message


def quantised(stored: np.ndarray, steps_per_px: int) -> np.ndarray:
    """Stored truth (uint16, pixels * 256, 0 = none) rounded to 1/steps_per_px px; truth stays truth (>= 1 step).

    Raises ValueError when steps_per_px does not divide 256.
    """
    if steps_per_px < 1 or STEPS_PER_PX % steps_per_px:
        raise ValueError(f"expected a divisor of {STEPS_PER_PX} steps per pixel, got {steps_per_px}")
    step = STEPS_PER_PX // steps_per_px
    rounded = np.maximum((stored.astype(np.uint32) + step // 2) // step, 1) * step
    # The largest uint16 that is a whole number of steps: rounding must not wrap to 0.
    rounded = np.minimum(rounded, 65536 - step)
    return np.where(stored > 0, rounded, 0).astype(np.uint16)


def disparity_message(stored: np.ndarray, camera: StereoCamera, message_header: Any, steps_per_px: int) -> Any:
    """stereo_msgs/DisparityImage of stored truth (uint16 [H, W], pixels * 256, 0 = none becomes NaN)."""
    disparity = disparity_of(stored) - np.float32(camera.disparity_shift_px)
    known = disparity[np.isfinite(disparity)]
    height, width = stored.shape
    return TYPES.types[DISPARITY](
        header=message_header,
        image=image_message(disparity, "32FC1", message_header),
        f=camera.fx,
        t=camera.baseline_m,
        valid_window=TYPES.types["sensor_msgs/msg/RegionOfInterest"](0, 0, height, width, False),
        min_disparity=float(known.min()) if known.size else 0.0,
        max_disparity=float(known.max()) if known.size else 0.0,
        delta_d=1.0 / steps_per_px,
    )


def disparity_array(message: Any, shift_px: float = 0.0) -> np.ndarray:
    """Picture disparity float32 [H, W] px of a DisparityImage, NaN where it is invalid.

    shift_px is cx_left - cx_right at the message's size. Invalid is what is not finite or lies outside
    [min_disparity, max_disparity] by more than float rounding. Raises ImageError when the image is not 32FC1.
    """
    if message.image.encoding != "32FC1":
        raise ImageError(f"expected 32FC1 in a DisparityImage, got '{message.image.encoding}'")
    disparity = image_array(message.image)
    slack = 1e-3
    low, high = message.min_disparity - slack, message.max_disparity + slack
    with np.errstate(invalid="ignore"):
        valid = np.isfinite(disparity) & (disparity >= low) & (disparity <= high)
    return np.where(valid, disparity + np.float32(shift_px), np.float32(np.nan))
