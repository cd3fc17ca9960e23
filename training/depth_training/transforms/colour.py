# SPDX-License-Identifier: Apache-2.0
"""Random exposure and colour of an image."""

from __future__ import annotations

import numpy as np


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
