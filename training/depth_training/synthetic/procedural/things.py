# SPDX-License-Identifier: Apache-2.0
"""Textures of made things: paint, metal, fabric, prints, skin."""

from __future__ import annotations

import cv2
import numpy as np

from .noise import SIZE, fbm, flat, grain, hue, mixed, polylines, ramp, shaded, step


def paint(rng: np.random.Generator) -> np.ndarray:
    """Car paint: one colour with panel gaps, a moulding, soft reflections and dust."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    glow = 0.16 * np.sin(2 * np.pi * (y * rng.uniform(1, 2) + rng.uniform(0, 1) + 0.06 * fbm(rng, 2, 2)))
    image = flat((0.68, 0.68, 0.68)) * (1 + glow + 0.04 * fbm(rng, 3, 4))[..., None]
    for gap in np.cumsum(rng.uniform(0.16, 0.4, 6)):
        image = mixed(image, (0.12, 0.12, 0.12), 0.8 * (np.abs(x - gap + 0.02 * np.sin(6 * y)) < 0.004))
    for line in rng.uniform(0.15, 0.85, 2):
        image = mixed(image, (0.35, 0.35, 0.35), 0.6 * (np.abs(y - line) < 0.006))
    dust = step(fbm(rng, 5, 5) + 2.5 * (y - 0.7), 0.7, 0.8)
    return mixed(image, (0.5, 0.46, 0.4), 0.3 * dust)


def metal(rng: np.random.Generator) -> np.ndarray:
    """Brushed or galvanised metal with scratches and rust."""
    base = hue(rng, (190, 240), (0.0, 0.12), (0.45, 0.75))
    value = 1 + 0.07 * fbm(rng, 24, 4, stretch=(1, 14)) + 0.06 * fbm(rng, 3, 4)
    image = flat(base) * value[..., None]
    image = mixed(image, shaded(base, 1.4), 0.4 * polylines(rng, 10, 12, 14, 1))
    return mixed(image, hue(rng, (12, 28), (0.5, 0.7), (0.3, 0.5)), step(fbm(rng, 4, 6), rng.uniform(1.3, 2.5), 0.3))


def fabric(rng: np.random.Generator) -> np.ndarray:
    """Cloth with stripes, checks, a print or plain, and folds."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    a, b = hue(rng, (0, 360), (0.1, 0.7), (0.2, 0.8)), hue(rng, (0, 360), (0.1, 0.7), (0.2, 0.95))
    kind, n, wide = rng.random(), rng.uniform(5, 22), rng.uniform(0.2, 0.6)
    fold = fbm(rng, 4, 3, stretch=(2.5, 1))
    bands = lambda t: ((t + 0.01 * fold) * n % 1 < wide).astype(np.float32)  # noqa: E731
    fraction = np.zeros_like(x)
    if kind < 0.3:
        fraction = bands(y if rng.random() < 0.5 else x)
    elif kind < 0.55:
        fraction = (bands(x) + bands(y)) / 2
    elif kind < 0.75:
        fraction = step(fbm(rng, 10, 2), 0.6, 0.15)
    image = mixed(flat(a), b, cv2.GaussianBlur(fraction, (0, 0), 1.2))
    return image * (1 + 0.2 * fold + 0.05 * grain(rng, 1.5))[..., None]


def skin(rng: np.random.Generator) -> np.ndarray:
    """Skin tones."""
    base = hue(rng, (12, 28), (0.3, 0.55), (0.4, 0.9))
    return flat(base) * (1 + 0.07 * fbm(rng, 4, 4) + 0.02 * grain(rng, 2))[..., None]


def hair(rng: np.random.Generator) -> np.ndarray:
    """Strands."""
    base = hue(rng, (15, 40), (0.2, 0.6), (0.12, 0.5))
    return flat(base) * (1 + 0.3 * fbm(rng, 30, 3, stretch=(9, 1)))[..., None]


def printed(rng: np.random.Generator) -> np.ndarray:
    """Packaging and posters: overlapping flat shapes and lines of something like writing."""
    image = flat(hue(rng, (0, 360), (0.05, 0.8), (0.4, 0.95)))
    for _ in range(int(rng.integers(8, 26))):
        colour, center = hue(rng, (0, 360), (0.1, 0.9), (0.15, 1.0)), rng.integers(0, SIZE, 2).tolist()
        size, angle = rng.integers(15, 150, 2), rng.uniform(0, 180)
        if rng.random() < 0.5:
            cv2.ellipse(image, center, size.tolist(), angle, 0, 360, colour, -1, cv2.LINE_AA)
        else:
            box = cv2.boxPoints((center, (2 * size).tolist(), angle if rng.random() < 0.4 else 0.0))
            cv2.fillPoly(image, [box.astype(np.int32)], colour, cv2.LINE_AA)
    ink = hue(rng, (0, 360), (0, 0.5), (0.05, 0.3))
    for row in rng.integers(0, SIZE, 8):
        x = int(rng.integers(0, 200))
        while x < SIZE - 60 and rng.random() < 0.95:
            w = int(rng.integers(5, 26))
            cv2.rectangle(image, (x, int(row)), (x + w, int(row) + 7), ink, -1)
            x += w + 6
    return image * (1 + 0.03 * fbm(rng, 4, 5))[..., None]


def abstract(rng: np.random.Generator) -> np.ndarray:
    """Abstract layered noise in vivid colours, for domain randomisation."""
    colours = [hue(rng, (0, 360), (0.1, 0.9), (0.1, 1.0)) for _ in range(4)]
    scale = int(rng.integers(2, 12))
    value = fbm(rng, scale, 7, rng.uniform(0.45, 0.8), (rng.uniform(0.5, 4), rng.uniform(0.5, 4)))
    return ramp(0.5 + 0.3 * value, colours)
