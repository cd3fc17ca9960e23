# SPDX-License-Identifier: Apache-2.0
"""Textures to walk and drive on: asphalt, paving, concrete, gravel, grass."""

from __future__ import annotations

import cv2
import numpy as np

from .noise import SIZE, fbm, flat, grain, hue, mixed, polylines, ramp, shaded, step, tiles


def asphalt(rng: np.random.Generator) -> np.ndarray:
    """Grey with aggregate, stains, mended patches and cracks."""
    tone = rng.uniform(0.36, 0.52)
    value = tone + 0.035 * fbm(rng, 3, 4) + 0.05 * grain(rng, 1.6) + 0.025 * grain(rng, 4)
    image = np.repeat(value[..., None], 3, -1) * np.array(hue(rng, (20, 60), (0, 0.08), (1, 1)), np.float32)
    for _ in range(rng.integers(1, 4)):
        x, y = rng.integers(-80, SIZE - 40, 2)
        w, h = rng.integers(60, 260, 2)
        area = np.zeros((SIZE, SIZE), np.float32)
        cv2.rectangle(area, (int(x), int(y)), (int(x + w), int(y + h)), 1.0, -1)
        seam = cv2.morphologyEx(area, cv2.MORPH_GRADIENT, np.ones((5, 5)))
        image *= 1 + area[..., None] * rng.uniform(-0.22, 0.12)
        image = mixed(image, (0.12, 0.12, 0.13), 0.6 * seam * step(fbm(rng, 8, 3), -0.3, 0.5))
    stain = step(fbm(rng, 3, 4), 1.0, 0.5)
    image = mixed(image, (0.16, 0.15, 0.15), 0.35 * stain)
    cracks = polylines(rng, int(rng.integers(3, 9)), 60, 7, 2)
    return mixed(image, (0.1, 0.1, 0.1), 0.75 * cracks)


def concrete(rng: np.random.Generator) -> np.ndarray:
    """Formwork panels with pores and streaks of water."""
    base = hue(rng, (20, 60), (0.02, 0.14), (0.55, 0.75))
    value = 1 + 0.07 * fbm(rng, 3, 5) + 0.05 * fbm(rng, 10, 4, stretch=(8, 1)) + 0.035 * grain(rng, 1.5)
    image = flat(base) * value[..., None]
    joint, per_tile = tiles(rng, int(rng.integers(1, 4)), int(rng.integers(1, 4)), 0.0, 4)
    image *= (0.92 + 0.16 * per_tile)[..., None]
    image = mixed(image, shaded(base, 0.45), 0.7 * joint)
    pores = step(grain(rng, 2.2), 2.2, 0.2)
    return mixed(image, shaded(base, 0.5), 0.7 * pores)


def paving(rng: np.random.Generator) -> np.ndarray:
    """Slabs or cobbles of varying tone with dark joints."""
    rows, columns = int(rng.integers(5, 14)), int(rng.integers(4, 12))
    joint, per_tile = tiles(rng, rows, columns, rng.choice((0.0, 0.5, 0.33)), rng.uniform(3, 6))
    colours = [hue(rng, (10, 50), (0.03, 0.25), (0.42, 0.75)) for _ in range(3)]
    image = ramp(per_tile + 0.1 * fbm(rng, 6, 4), colours)
    image *= (1 + 0.06 * grain(rng, 1.5) + 0.06 * fbm(rng, 3, 3))[..., None]
    image = mixed(image, shaded(colours[0], 0.4), 0.85 * joint)
    moss = step(fbm(rng, 4, 5), 1.1, 0.4)
    return mixed(image, (0.3, 0.35, 0.2), 0.35 * moss)


def gravel(rng: np.random.Generator) -> np.ndarray:
    """Stones as cells around random points, lit from one side."""
    count = int(rng.integers(500, 2200))
    points = rng.uniform(0, SIZE, (count, 2)).astype(np.float32)
    seeds = np.full((SIZE, SIZE), 255, np.uint8)
    seeds[points[:, 1].astype(int), points[:, 0].astype(int)] = 0
    distance, label = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    radius = np.float32(np.sqrt(SIZE * SIZE / count / np.pi))
    tone = rng.random(label.max() + 1, dtype=np.float32)[label]
    round_off = np.clip(1.25 - (distance / radius) ** 2 * 0.6, 0.15, 1.2)
    light = 0.12 * cv2.Sobel(distance / radius, cv2.CV_32F, 1, 1, ksize=3)
    colours = [hue(rng, (15, 50), (0.04, 0.25), (0.3, 0.85)) for _ in range(4)]
    return ramp(tone, colours) * (round_off + light)[..., None]


def grass(rng: np.random.Generator) -> np.ndarray:
    """Blades over dark soil, in patches of fresh and dry."""
    fresh, dry = hue(rng, (75, 105), (0.45, 0.7), (0.4, 0.6)), hue(rng, (48, 70), (0.35, 0.55), (0.5, 0.65))
    patches = step(fbm(rng, 3, 4), rng.uniform(0, 1.2), 1.0)
    image = mixed(flat(shaded(fresh, 0.45)), shaded(dry, 0.5), patches)
    for x, y in rng.integers(0, SIZE, (5200, 2)):
        colour = np.asarray(fresh) + (np.asarray(dry) - np.asarray(fresh)) * patches[y, x]
        lean, length = rng.normal(0, 5), rng.uniform(7, 20)
        end = (int(x + lean), int(y - length))
        cv2.line(image, (int(x), int(y)), end, (colour * rng.uniform(0.55, 1.35)).tolist(), int(rng.integers(1, 3)))
    return cv2.GaussianBlur(image, (0, 0), 0.8) * (1 + 0.1 * fbm(rng, 3, 4))[..., None]
