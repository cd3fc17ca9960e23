# SPDX-License-Identifier: Apache-2.0
"""Trees, hedges and the green horizon."""

from __future__ import annotations

import numpy as np
from depth_models.labels import VEGETATION

from .builder import Body, Look, SceneBuilder, Vector, turn


def add_tree(builder: SceneBuilder, x: float, z: float, ground_y: float, tall_m: float) -> None:
    """A trunk with branches, a crown of overlapping ellipsoids and ragged leaf cards around it."""
    rng, body = builder.rng, Body(VEGETATION, (x, ground_y, z))
    bark = Look("bark", (1.0, 1.0, 1.0), 150)
    crown, trunk = tall_m * 0.3, tall_m * 0.45
    builder.part(body, "cylinder", (0, -trunk / 2, 0), (tall_m * 0.022, trunk / 2, tall_m * 0.022), bark)
    middle = np.array((0.0, -tall_m * 0.68, 0.0))
    green = rng.uniform(0.85, 1.15) * np.array((1.05, 1.1, 0.9))
    for _ in range(13):
        place = middle + rng.normal(0, 0.4 * crown, 3) * (1.1, 0.85, 1.1)
        half = crown * rng.uniform(0.32, 0.55) * np.array((1.0, 0.85, 1.0))
        builder.part(body, "ellipsoid", tuple(place), tuple(half), _leaves(tuple(green * rng.uniform(0.8, 1.15))))
    # Ragged cards on the outside hide the round outlines.
    for i in range(18):
        outward = rng.normal(0, 1, 3)
        place = middle + crown * 0.75 * outward / np.linalg.norm(outward) * (1.1, 0.85, 1.1)
        form = (0.8, *rng.normal(0, 0.18, 6), *rng.uniform(3, 5, 2), *rng.uniform(0, 1, 2), rng.uniform(0.0, 0.35))
        half = (crown * 0.5, crown * 0.45, 0.1)
        look = _leaves(tuple(green * rng.uniform(0.85, 1.2)))
        builder.part(body, "card", tuple(place), half, look, turn(np.pi * i / 9), form)


def _leaves(rgb: Vector) -> Look:
    """Foliage with brighter and darker parts at the scale of twigs."""
    return Look("foliage", rgb, 200, contrast=0.75, detail="foliage", zoom=0.23, grit=0.35)


def add_hedge(builder: SceneBuilder, center: tuple[float, float, float], half: tuple[float, float, float]) -> None:
    """A clipped hedge."""
    builder.part(Body(VEGETATION, center), "box", (0, -half[1], 0), half, _leaves((1.0, 1.05, 0.9)))


def add_horizon(builder: SceneBuilder, z: float) -> None:
    """A wood that closes the street: rows of round tree tops from z on."""
    rng, body = builder.rng, Body(VEGETATION, (0.0, 0.0, z))
    look = Look("foliage", (0.8, 0.88, 0.75), 24, contrast=0.8, detail="foliage", zoom=0.3, grit=0.5)
    for i, x in enumerate(np.linspace(-55, 55, 26)):
        tall = float(rng.uniform(4.5, 8.5))
        place = (float(x + rng.normal()), -0.5 * tall, float(3 * (i % 4)))
        builder.part(body, "ellipsoid", place, (tall * 0.55, tall * 0.6, 2.5), look)
