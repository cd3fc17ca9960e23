# SPDX-License-Identifier: Apache-2.0
"""Building blocks of procedural textures: noise, cells, colour ramps. Arrays are float32 [512, 512(, 3)]."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

SIZE = 512
Colour = tuple[float, float, float]  # RGB in 0..1


def fbm(
    rng: np.random.Generator,
    cells: int = 4,
    octaves: int = 6,
    gain: float = 0.55,
    stretch: tuple[float, float] = (1.0, 1.0),
) -> np.ndarray:
    """Fractal noise of mean 0 and standard deviation 1; stretch > 1 draws it out along y, x."""
    total = np.zeros((SIZE, SIZE), np.float32)
    for octave in range(octaves):
        shape = [max(2, min(SIZE, round(cells * 2**octave / s) + 1)) for s in stretch]
        grid = rng.standard_normal(shape, dtype=np.float32)
        total += gain**octave * cv2.resize(grid, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return normalised(total)


def grain(rng: np.random.Generator, sigma_px: float) -> np.ndarray:
    """Band-limited grain of mean 0 and standard deviation 1 with blobs of about 2 sigma."""
    noise = rng.standard_normal((SIZE, SIZE), dtype=np.float32)
    fine = cv2.GaussianBlur(noise, (0, 0), sigma_px)
    return normalised(fine - cv2.GaussianBlur(fine, (0, 0), sigma_px * 4))


def normalised(value: np.ndarray) -> np.ndarray:
    """Shift and scale to mean 0 and standard deviation 1."""
    return (value - value.mean()) / max(float(value.std()), 1e-6)


def step(value: np.ndarray, edge: float, softness: float) -> np.ndarray:
    """0 below edge - softness, 1 above edge + softness, linear between."""
    return np.clip((value - edge) / (2 * softness) + 0.5, 0, 1)


def ramp(value: np.ndarray, colours: Sequence[Colour]) -> np.ndarray:
    """Colour [.., 3] by linear interpolation along `colours`; value 0..1, clipped."""
    stops = np.linspace(0, 1, len(colours))
    table = np.asarray(colours, np.float32)
    return np.stack([np.interp(value, stops, table[:, i]) for i in range(3)], -1).astype(np.float32)


def mixed(a: np.ndarray, b: np.ndarray | Colour, fraction: np.ndarray) -> np.ndarray:
    """a [H, W, 3] with b laid over it; fraction [H, W] in 0..1."""
    return a + (np.asarray(b, np.float32) - a) * fraction[..., None]


def hue(
    rng: np.random.Generator, hues_deg: tuple[float, float], saturation: tuple[float, float], value: tuple[float, float]
) -> Colour:
    """A random RGB colour from ranges of HSV."""
    hsv = np.array([[[rng.uniform(*hues_deg) % 360, rng.uniform(*saturation), rng.uniform(*value)]]], np.float32)
    return tuple(float(c) for c in cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0])


def shaded(colour: Colour, factor: float) -> Colour:
    """A colour scaled in brightness."""
    return tuple(min(1.0, c * factor) for c in colour)


def flat(colour: Colour) -> np.ndarray:
    """A one-coloured image."""
    return np.broadcast_to(np.asarray(colour, np.float32), (SIZE, SIZE, 3)).copy()


def tiles(
    rng: np.random.Generator, rows: int, columns: int, shift: float, joint_px: float
) -> tuple[np.ndarray, np.ndarray]:
    """Bricks or slabs in rows.

    shift: offset of every second row in tiles. Returns mortar (0..1, 1 = joint) and a random number 0..1
    per tile, both [512, 512].
    """
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    wobble = 0.7 * fbm(rng, 8, 3)
    row = (y + wobble) / SIZE * rows
    column = (x + wobble) / SIZE * columns + shift * (np.floor(row) % 2)
    height, width = SIZE / rows, SIZE / columns
    edge = np.minimum(np.minimum(row % 1, 1 - row % 1) * height, np.minimum(column % 1, 1 - column % 1) * width)
    table = rng.random((rows + 2, columns + 3), dtype=np.float32)
    per_tile = table[
        np.clip(np.floor(row).astype(int), -1, rows), np.clip(np.floor(column).astype(int), -1, columns + 1)
    ]
    return 1 - step(edge, joint_px / 2, 0.8), per_tile


def polylines(rng: np.random.Generator, count: int, steps: int, stride_px: float, thickness: int) -> np.ndarray:
    """Wandering lines (cracks, veins) as a mask 0..1."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    for _ in range(count):
        angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.45, steps))
        path = rng.uniform(0, SIZE, 2) + np.cumsum(stride_px * np.stack((np.cos(angle), np.sin(angle)), -1), 0)
        cv2.polylines(mask, [path.astype(np.int32)], False, 255, thickness, cv2.LINE_AA)
    return mask.astype(np.float32) / 255
