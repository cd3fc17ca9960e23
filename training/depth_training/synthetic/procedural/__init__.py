# SPDX-License-Identifier: Apache-2.0
"""Textures computed from a seed, by category; no photograph and no licence is involved."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import ground, nature, things, walls

# How often a category is drawn relative to others: varied ones more often than plain ones.
MAKERS: dict[str, tuple[Callable[[np.random.Generator], np.ndarray], int]] = {
    "asphalt": (ground.asphalt, 2),
    "concrete": (ground.concrete, 1),
    "paving": (ground.paving, 2),
    "gravel": (ground.gravel, 1),
    "grass": (ground.grass, 1),
    "plaster": (walls.plaster, 1),
    "brick": (walls.brick, 1),
    "facade": (walls.facade, 4),
    "shop": (walls.shop, 2),
    "roof": (walls.roof, 1),
    "foliage": (nature.foliage, 2),
    "bark": (nature.bark, 1),
    "wood": (nature.wood, 1),
    "sky": (nature.sky, 2),
    "stone": (nature.stone, 1),
    "paint": (things.paint, 1),
    "metal": (things.metal, 1),
    "fabric": (things.fabric, 4),
    "skin": (things.skin, 1),
    "hair": (things.hair, 1),
    "print": (things.printed, 4),
    "abstract": (things.abstract, 3),
}


def make_texture(category: str, seed: int) -> np.ndarray:
    """One texture, uint8 [512, 512, 3] RGB. Raises ValueError for an unknown category."""
    if category not in MAKERS:
        raise ValueError(f"expected a category among {sorted(MAKERS)}, got '{category}'; use one of them")
    rng = np.random.default_rng([seed, list(MAKERS).index(category)])
    return (np.clip(MAKERS[category][0](rng), 0, 1) * 255).round().astype(np.uint8)


def make_textures(count: int, seed: int = 0) -> tuple[list[np.ndarray], list[str]]:
    """`count` textures and their categories, every category in turn by its weight."""
    cycle = [name for turn in range(4) for name, (_, weight) in MAKERS.items() if turn < weight]
    names = [cycle[i % len(cycle)] for i in range(count)]
    return [make_texture(name, seed * 100_003 + i) for i, name in enumerate(names)], names
