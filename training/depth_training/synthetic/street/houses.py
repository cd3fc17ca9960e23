# SPDX-License-Identifier: Apache-2.0
"""Houses with a ground floor, storeys of windows, cornices, a roof and chimneys."""

from __future__ import annotations

from depth_models.labels import BUILDING

from ..textures import SIZE
from .builder import Body, Look, SceneBuilder

GROUND_FLOOR_M = 3.6


def add_house(
    builder: SceneBuilder, x_front: float, side: int, z: tuple[float, float], depth_m: float, number: int
) -> None:
    """Add a house whose front stands at x_front and faces the road.

    side: +1 right of the road, -1 left; z: start and end along the road, m; number: picks the textures.
    """
    rng, (start, stop) = builder.rng, z
    half_x, half_z = depth_m / 2, (stop - start) / 2
    body = Body(BUILDING, (x_front + side * half_x, 0.0, (start + stop) / 2))
    # One whole facade texture per front, so that no window is cut.
    storeys = float(2 * half_z * rng.choice((0.78, 1.0)))
    tint = tuple(rng.uniform(0.82, 1.12) * rng.uniform(0.95, 1.05, 3))
    density = SIZE / (2 * half_z)
    upper = Look("facade", tint, density, (SIZE / 2, SIZE - storeys / 2 * density), texture=number, grit=0.12)
    _ground_floor(builder, body, (half_x, half_z), side, number)
    middle = GROUND_FLOOR_M + storeys / 2
    builder.part(body, "box", (0, -middle, 0), (half_x, storeys / 2, half_z), upper)
    stone = Look("concrete", (1.2, 1.18, 1.1), 60)
    for height, out in ((GROUND_FLOOR_M, 0.12), (GROUND_FLOOR_M + storeys, 0.3)):
        builder.part(body, "box", (0, -height, 0), (half_x + out, 0.14, half_z - 0.01), stone)
    rise = float(rng.uniform(1.6, 3.2))
    top = GROUND_FLOOR_M + storeys
    tiles = Look("roof", (1.0, 1.0, 1.0), 70)
    form = (float(rng.uniform(0.55, 0.95)), 0.0, 0.0)
    builder.part(
        body, "prism", (0, -top - rise / 2 - 0.1, 0), (half_x + 0.3, rise / 2, half_z - 0.02), tiles, form=form
    )
    chimney = (-side * half_x * 0.3, -top - rise, float(rng.uniform(-0.6, 0.6)) * half_z)
    builder.part(body, "box", chimney, (0.4, 1.0, 0.55), Look("brick", density=120))


def _ground_floor(builder: SceneBuilder, body: Body, half: tuple[float, float], side: int, number: int) -> None:
    """Shops with an awning, or dwellings with steps to a door."""
    half_x, half_z = half
    tall = GROUND_FLOOR_M / 2
    shop = number % 3 != 1
    density = SIZE / 2 / GROUND_FLOOR_M
    # A shop texture holds two ground floors above each other; its lower one is shown.
    offset = (half_z * density, SIZE - tall * density)
    look = Look("shop", density=density, offset=offset, texture=number, grit=0.1)
    if not shop:
        look = Look(
            "facade",
            density=SIZE / (2 * half_z),
            offset=(SIZE / 2, SIZE - tall * SIZE / (2 * half_z)),
            texture=number + 5,
        )
    builder.part(body, "box", (0, -tall, 0), (half_x, tall, half_z), look)
    if shop:
        cloth = Look("fabric", (1.1, 1.05, 1.0), 60, texture=number)
        reach = (-side * (half_x + 0.55), -2.75, 0.25 * half_z * (-1) ** number)
        builder.part(body, "prism", reach, (0.6, 0.25, half_z * 0.55), cloth, form=(0.9, 0.05, 0.05))
    for step in (0, 1):
        wide = (half_x + 0.28 - 0.14 * step, 0.08, 0.7)
        builder.part(body, "box", (0, -0.2 - 0.16 * step, -0.5 * half_z), wide, Look("concrete", density=80))
