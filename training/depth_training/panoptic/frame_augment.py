# SPDX-License-Identifier: Apache-2.0
"""Random scale, crop, flip and colour of labelled frames."""

from __future__ import annotations

import cv2
import numpy as np
from depth_runtime.spec import UNLABELLED

from .frames import LabelledFrame


def augment_frame(
    frame: LabelledFrame, height: int, width: int, rng: np.random.Generator, strength: float = 1.0
) -> LabelledFrame:
    """A random view of the frame with the given size, in pixels.

    The frame first fills the size, is then scaled by 0.75..1.7 at full strength, and cropped; what lies
    outside the frame is black and unlabelled.
    """
    rows, columns = frame.semantic.shape
    fill = max(height / rows, width / columns)
    scale = fill * np.exp(strength * rng.uniform(np.log(0.75), np.log(1.7)))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    # Output pixel = matrix @ input pixel; the input point that lands in the middle is drawn at random.
    free_x, free_y = max(0.0, columns - width / scale), max(0.0, rows - height / scale)
    middle_x = columns / 2 + free_x * rng.uniform(-0.5, 0.5)
    middle_y = rows / 2 + free_y * rng.uniform(-0.5, 0.5)
    matrix = np.array(
        [
            [flip * scale, 0, width / 2 - flip * scale * middle_x],
            [0, scale, height / 2 - scale * middle_y],
        ]
    )

    def move(pixels: np.ndarray, interpolation: int, border: int) -> np.ndarray:
        return cv2.warpAffine(pixels, matrix, (width, height), flags=interpolation, borderValue=(border,) * 3)

    image = recolour(move(frame.image, cv2.INTER_LINEAR, 0), rng, strength)
    semantic = move(frame.semantic, cv2.INTER_NEAREST, UNLABELLED)
    instance = None if frame.instance is None else move(frame.instance, cv2.INTER_NEAREST, 0)
    return LabelledFrame(image, semantic, instance)


def recolour(image: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """Random brightness, contrast, gamma, saturation and colour cast. uint8 [H, W, 3] -> same."""
    draw = lambda spread, size=None: strength * rng.uniform(-spread, spread, size)  # noqa: E731
    value = (image.astype(np.float32) / 255) ** np.float32(np.exp(draw(0.4)))
    value = value * np.exp(draw(0.3)) * (1 + draw(0.1, 3))
    mean = value.mean()
    value = mean + (value - mean) * np.exp(draw(0.3))
    grey = value.mean(2, keepdims=True)
    value = grey + (value - grey) * np.exp(draw(0.5))
    return (value * 255).clip(0, 255).round().astype(np.uint8)
