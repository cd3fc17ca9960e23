# SPDX-License-Identifier: Apache-2.0
"""Road surface, kerbs, markings, poles, signs, lamps, bins, benches."""

from __future__ import annotations

from depth_models.labels import OBJECT, POLE, ROAD, SIDEWALK

from .builder import FLAT, PLAIN_CARD, Body, Look, SceneBuilder, Vector

KERB_M = 0.14  # height of the pavement above the road
WHITE = Look("concrete", (1.35, 1.35, 1.3), 60, contrast=0.9, grit=0.5)
STEEL = Look("metal", (0.75, 0.77, 0.8), 120)


def add_road(builder: SceneBuilder) -> None:
    """One asphalt plane for the street and the crossing."""
    look = Look("asphalt", (1.0, 1.0, 1.02), 46, contrast=0.7, detail="asphalt", zoom=2.1, grit=0.2)
    builder.part(Body(ROAD), "box", (0, 1, 0), (150, 1, 400), look)


def add_pavement(builder: SceneBuilder, x: tuple[float, float], z: tuple[float, float]) -> None:
    """A raised pavement between x and z limits (m) with kerb stones along its road edge, x[0]."""
    (edge, back), (start, stop) = x, z
    body = Body(SIDEWALK, ((edge + back) / 2, 0.0, (start + stop) / 2))
    look = Look("paving", (0.95, 0.95, 0.95), 110, detail="concrete", zoom=0.21, grit=0.5)
    half_z, half_x = (stop - start) / 2, abs(back - edge) / 2
    builder.part(body, "box", (0, 0.3 - KERB_M, 0), (half_x, 0.3, half_z), look)
    kerb = (-0.5 * (back - edge), 0.3 - KERB_M - 0.015, 0)
    stone = Look("concrete", (1.15, 1.13, 1.1), 90, grit=0.5)
    builder.part(body, "box", kerb, (0.09, 0.3, half_z + 0.02), stone)


def add_marking(
    builder: SceneBuilder, center: tuple[float, float], half: tuple[float, float], bars: tuple[float, float] = (0, 0)
) -> None:
    """White paint flat on the road around center (x, z); bars: dashes per half size along x, z."""
    form = list(PLAIN_CARD)
    if any(bars):
        form[7:11], form[11] = [*bars, 0.0, 0.0], 0.0
    x, z = center
    builder.part(Body(ROAD, (x, 0.0, z)), "card", (0, -0.006, 0), (*half, 0.1), WHITE, FLAT, form)


def add_manhole(builder: SceneBuilder, x: float, z: float) -> None:
    look = Look("metal", (0.35, 0.34, 0.33), 250)
    builder.part(Body(ROAD, (x, 0.0, z)), "cylinder", (0, 0, 0), (0.36, 0.008, 0.36), look)


def add_lamp(builder: SceneBuilder, x: float, z: float, side: int) -> None:
    """A street lamp whose arm reaches over the road; side: +1 right, -1 left."""
    body = Body(POLE, (x, -KERB_M, z))
    builder.part(body, "cylinder", (0, -2.9, 0), (0.065, 2.9, 0.065), STEEL)
    builder.part(body, "cylinder", (0, -0.4, 0), (0.11, 0.4, 0.11), STEEL)
    builder.part(body, "box", (-side * 0.7, -5.75, 0), (0.75, 0.04, 0.04), STEEL)
    builder.part(body, "box", (-side * 1.45, -5.7, 0), (0.35, 0.06, 0.14), Look("metal", (0.9, 0.9, 0.85), 200))


def add_sign(builder: SceneBuilder, x: float, z: float, rgb: Vector, is_round: bool) -> None:
    """A traffic sign that faces the camera: a rim around a picture."""
    body = Body(POLE, (x, -KERB_M, z))
    builder.part(body, "cylinder", (0, -1.35, 0), (0.035, 1.35, 0.035), STEEL)
    rim = (0.98, *(0.0,) * 10, 9.0) if is_round else ()
    plate, picture = Look("metal", rgb, 200, contrast=0.3), Look("print", (1.2, 1.2, 1.2), 260, contrast=0.7)
    builder.part(body, "card", (0, -2.45, -0.05), (0.38, 0.38, 0.1), plate, form=rim)
    builder.part(body, "card", (0, -2.45, -0.06), (0.29, 0.29, 0.1), picture, form=rim)


def add_bollards(builder: SceneBuilder, x: float, z: tuple[float, ...]) -> None:
    """Short posts with a light band."""
    for place in z:
        body = Body(POLE, (x, -KERB_M, place))
        builder.part(body, "cylinder", (0, -0.45, 0), (0.06, 0.45, 0.06), Look("metal", (0.5, 0.2, 0.17), 120))
        builder.part(body, "cylinder", (0, -0.75, 0), (0.064, 0.05, 0.064), WHITE)


def add_bin(builder: SceneBuilder, x: float, z: float, rgb: Vector) -> None:
    """A wheeled bin with a lid."""
    body = Body(OBJECT, (x, -KERB_M, z), 0.1, instance=builder.instance())
    shell = Look("metal", rgb, 90, contrast=0.8)
    builder.part(body, "prism", (0, -0.52, 0), (0.31, 0.5, 0.35), shell, form=(-0.0, 0.0, 0.0))
    builder.part(body, "box", (0, -1.06, 0), (0.33, 0.05, 0.38), Look("metal", tuple(0.6 * c for c in rgb), 90))
    builder.part(body, "box", (0, -0.6, -0.36), (0.16, 0.1, 0.02), Look("print", density=400))


def add_bench(builder: SceneBuilder, x: float, z: float, side: int) -> None:
    """A wooden bench that looks at the road."""
    body = Body(OBJECT, (x, -KERB_M, z), instance=builder.instance())
    slats = Look("wood", (1.1, 1.05, 1.0), 160)
    builder.part(body, "box", (0, -0.46, 0), (0.24, 0.04, 0.85), slats)
    builder.part(body, "box", (side * 0.26, -0.78, 0), (0.04, 0.2, 0.85), slats)
    for end in (-0.7, 0.7):
        builder.part(body, "box", (0, -0.22, end), (0.2, 0.22, 0.05), STEEL)


def add_planter(builder: SceneBuilder, x: float, z: float) -> None:
    """A tub with a bush, one object."""
    body = Body(OBJECT, (x, -KERB_M, z), instance=builder.instance())
    builder.part(body, "box", (0, -0.3, 0), (0.42, 0.3, 0.42), Look("stone", (1.0, 0.95, 0.9), 120))
    leaves = Look("foliage", (1.1, 1.15, 0.9), 170, detail="foliage", zoom=0.5, grit=0.4)
    builder.part(body, "ellipsoid", (0, -0.85, 0), (0.44, 0.42, 0.44), leaves)
