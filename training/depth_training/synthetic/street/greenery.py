# SPDX-License-Identifier: Apache-2.0
"""Trees, hedges and the green horizon."""

from __future__ import annotations

import numpy as np
from depth_models.labels import VEGETATION

from .builder import EYE, Body, Look, SceneBuilder, turn


def add_tree(builder: SceneBuilder, x: float, z: float, ground_y: float, tall_m: float) -> None:
    """A trunk with branches, a crown of overlapping ellipsoids and ragged leaf cards around it."""
    rng, body = builder.rng, Body(VEGETATION, (x, ground_y, z))
    bark = Look("bark", (1.0, 1.0, 1.0), 150)
    crown, trunk = tall_m * 0.3, tall_m * 0.45
    builder.part(body, "cylinder", (0, -trunk / 2, 0), (tall_m * 0.022, trunk / 2, tall_m * 0.022), bark)
    middle = np.array((0.0, -tall_m * 0.68, 0.0))
    green = rng.uniform(0.85, 1.15) * np.array((1.05, 1.1, 0.9))
    for _ in range(9):
        place = middle + rng.normal(0, 0.36 * crown, 3) * (1.1, 0.9, 1.1)
        half = crown * rng.uniform(0.42, 0.68) * np.array((1.0, 0.85, 1.0))
        look = Look(
            "foliage", tuple(green * rng.uniform(0.8, 1.15)), 130, contrast=1.1, detail="foliage", zoom=0.4, grit=0.5
        )
        builder.part(body, "ellipsoid", tuple(place), tuple(half), look)
    for i in range(10):
        place = middle + rng.normal(0, 0.45 * crown, 3)
        form = (0.75, *rng.normal(0, 0.16, 6), *rng.uniform(4, 7, 2), *rng.uniform(0, 1, 2), rng.uniform(0.1, 0.45))
        look = Look("foliage", tuple(green * rng.uniform(0.8, 1.2)), 130, contrast=1.1)
        half = (crown * 0.9, crown * 0.8, 0.1)
        builder.part(body, "card", tuple(place), half, look, turn(np.pi * i / 10) if i else EYE, form)


def add_hedge(builder: SceneBuilder, center: tuple[float, float, float], half: tuple[float, float, float]) -> None:
    """A clipped hedge."""
    look = Look("foliage", (1.0, 1.05, 0.9), 130, detail="foliage", zoom=0.4, grit=0.5)
    builder.part(Body(VEGETATION, center), "box", (0, -half[1], 0), half, look)


def add_horizon(builder: SceneBuilder, z: float, ground_y: float) -> None:
    """Ragged walls of distant trees that close the street."""
    for i, (x, half_x, tall) in enumerate(((-34, 26, 9), (24, 30, 7), (-4, 22, 5.5))):
        rng = builder.rng
        form = (9.0, *(0.0,) * 6, *rng.uniform(9, 13, 2), *rng.uniform(0, 1, 2), 0.75)
        look = Look("foliage", (0.9, 1.0, 0.85), 26, detail="foliage", zoom=0.3, grit=0.6)
        body = Body(VEGETATION, (float(x), ground_y, z + 6.0 * i))
        builder.part(body, "card", (0, -tall * 0.8, 0), (half_x, tall, 0.1), look, form=form)
        for _ in range(7):
            place = (float(rng.uniform(-half_x, half_x)), -tall * float(rng.uniform(1.0, 1.6)), 1.0)
            size = tall * float(rng.uniform(0.35, 0.6))
            builder.part(body, "ellipsoid", place, (size * 1.3, size, 0.8), look)
