# SPDX-License-Identifier: Apache-2.0
"""Textures that grow: foliage, bark, wood, sky."""

from __future__ import annotations

import cv2
import numpy as np

from .noise import SIZE, fbm, flat, grain, hue, mixed, polylines, ramp, shaded, step


def foliage(rng: np.random.Generator) -> np.ndarray:
    """Leaves in clusters, dark behind and light in front."""
    base = hue(rng, (65, 125), (0.35, 0.65), (0.4, 0.62))
    autumn = hue(rng, (25, 60), (0.5, 0.7), (0.5, 0.7))
    image, cluster = flat(shaded(base, 0.22)), fbm(rng, 6, 4)
    size = rng.uniform(5, 11)
    for depth in np.linspace(0.35, 1.3, 2600):
        x, y = rng.integers(0, SIZE, 2)
        light = depth * (1 + 0.18 * cluster[y, x]) * rng.uniform(0.8, 1.2)
        colour = shaded(autumn if rng.random() < 0.05 else base, light)
        colour = [c * rng.uniform(0.9, 1.1) for c in colour]
        axes = (max(2, round(size * rng.uniform(0.7, 1.3))), max(1, round(size * rng.uniform(0.3, 0.6))))
        cv2.ellipse(image, (int(x), int(y)), axes, rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
    return image


def bark(rng: np.random.Generator) -> np.ndarray:
    """Long furrows."""
    base = hue(rng, (15, 45), (0.15, 0.4), (0.35, 0.55))
    furrow = fbm(rng, 20, 4, stretch=(7, 1))
    value = 0.9 + 0.22 * furrow + 0.1 * fbm(rng, 3, 5)
    image = flat(base) * value[..., None]
    return mixed(image, shaded(base, 0.35), 0.7 * step(-furrow, 0.9, 0.3))


def wood(rng: np.random.Generator) -> np.ndarray:
    """Boards with grain and knots."""
    base = hue(rng, (18, 42), (0.3, 0.6), (0.4, 0.75))
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    boards = int(rng.integers(3, 8))
    board = np.floor(x * boards).astype(int)
    offset = rng.uniform(0, 10, boards)[board]
    bend = 0.5 * fbm(rng, 2, 3, stretch=(3, 1))
    rings = np.sin(2 * np.pi * (x * rng.uniform(20, 50) + bend + 0.3 * np.sin(2 * np.pi * (y + offset)) + offset))
    tone = rng.uniform(0.8, 1.15, boards)[board]
    value = tone * (1 + 0.12 * rings + 0.08 * fbm(rng, 20, 4, stretch=(12, 1)))
    gap = step(np.abs(x * boards % 1 - 0.5), 0.49, 0.006)
    return mixed(flat(base) * value[..., None], shaded(base, 0.25), gap)


def sky(rng: np.random.Generator) -> np.ndarray:
    """Blue to a pale horizon at the middle row, with clouds; rows below mirror it."""
    y = np.abs(np.linspace(-1, 1, SIZE, dtype=np.float32))[:, None] + np.zeros((1, SIZE), np.float32)
    zenith = hue(rng, (205, 222), (0.45, 0.7), (0.55, 0.8))
    image = ramp(1 - y, (shaded(zenith, 0.8), zenith, (0.78, 0.86, 0.94)))
    cloud = fbm(rng, 3, 7, 0.55, stretch=(0.6, 1.2))
    cover = step(cloud, rng.uniform(-0.2, 1.0), 0.7)
    light = ramp(
        0.5 + 0.3 * (cloud - cv2.GaussianBlur(cloud, (0, 0), 12)), ((0.62, 0.66, 0.72), (0.9, 0.91, 0.93), (1, 1, 1))
    )
    return mixed(image, light, cover * 0.9)


def stone(rng: np.random.Generator) -> np.ndarray:
    """Veined natural stone."""
    colours = [hue(rng, (0, 360), (0.02, 0.2), (0.3, 0.9)) for _ in range(3)]
    warped = np.sin(3 * fbm(rng, 2, 5) + fbm(rng, 4, 5))
    image = ramp(0.5 + 0.4 * warped, colours) * (1 + 0.03 * grain(rng, 1.5))[..., None]
    return mixed(image, shaded(colours[0], 0.5), 0.5 * polylines(rng, 8, 60, 7, 1))
