# SPDX-License-Identifier: Apache-2.0
"""Cars of about 25 parts: body, glass cabin, roof, wheels, lamps, plates, mirrors."""

from __future__ import annotations

from dataclasses import dataclass

from depth_models.labels import VEHICLE

from .builder import LYING, Body, Look, SceneBuilder, Vector

RUBBER = Look("concrete", (0.16, 0.16, 0.17), 120, contrast=0.5)
RIM_METAL = Look("metal", (1.0, 1.0, 1.05), 300, contrast=0.8, reflect=0.15)
DARK = Look("metal", (0.13, 0.13, 0.14), 200, contrast=0.5)
LAMP = Look("metal", (1.7, 1.7, 1.6), 300, contrast=0.3, reflect=0.2)
TAIL = Look("metal", (1.3, 0.12, 0.1), 300, contrast=0.4)
PLATE = Look("print", (1.5, 1.5, 1.4), 700, contrast=0.25)


@dataclass(frozen=True)
class CarShape:
    """Measures in metres; the cabin's tapers are fractions of its half size (see TAPER_* in scene.py)."""

    half_length: float = 2.1
    half_width: float = 0.88
    shoulder: float = 0.86  # height of the bonnet and the window line
    top: float = 1.44
    cabin_half_length: float = 1.3
    cabin_z: float = -0.3
    tapers: tuple[float, float, float] = (0.24, 0.58, 0.34)
    wheel_radius: float = 0.31


HATCHBACK = CarShape()
SEDAN = CarShape(2.3, 0.9, 0.84, 1.42, 1.3, -0.2, (0.26, 0.62, 0.55))
SUV = CarShape(2.25, 0.94, 1.0, 1.7, 1.55, -0.4, (0.2, 0.45, 0.2), 0.36)
VAN = CarShape(2.5, 0.98, 1.05, 1.98, 2.05, -0.35, (0.12, 0.36, 0.04), 0.34)


def add_car(builder: SceneBuilder, body: Body, shape: CarShape, rgb: Vector) -> None:
    """Add a car as one instance; body.ground is the point below its middle, rgb its paint in 0..1."""
    assert body.label == VEHICLE
    paint = Look("paint", tuple(c / 0.68 for c in rgb), 120, contrast=0.9, reflect=0.12, grit=0.1)
    w, length, base = shape.half_width, shape.half_length, shape.wheel_radius * 0.85
    middle, tall = (shape.shoulder + base) / 2, (shape.shoulder - base) / 2
    builder.part(body, "prism", (0, -middle, 0), (w, tall, length), paint, form=(0.08, 0.06, 0.05))
    builder.part(body, "box", (0, -base, 0), (w * 0.97, 0.1, length * 0.985), DARK)
    builder.part(body, "box", (0, -base - 0.14, 0), (w * 0.985, 0.06, length + 0.05), paint)
    _cabin(builder, body, shape, paint)
    _wheels(builder, body, shape)
    _ends(builder, body, shape)


def _cabin(builder: SceneBuilder, body: Body, shape: CarShape, paint: Look) -> None:
    """Dark glass with painted pillars and roof."""
    side, front, back = shape.tapers
    glass = Look("metal", (0.16, 0.18, 0.2), 60, contrast=0.9, reflect=0.3, grit=0.1)
    half_y, half_z, w = (shape.top - shape.shoulder) / 2, shape.cabin_half_length, shape.half_width * 0.94
    middle = -(shape.top + shape.shoulder) / 2
    builder.part(body, "prism", (0, middle, shape.cabin_z), (w, half_y, half_z), glass, form=shape.tapers)
    ahead, behind = half_z * (1 - front), half_z * (1 - back)
    roof_half = (w * (1 - side) + 0.03, 0.035, (ahead + behind) / 2 + 0.06)
    builder.part(body, "box", (0, -shape.top, shape.cabin_z + (ahead - behind) / 2), roof_half, paint)
    for z in (-0.12, -behind + 0.1):
        pillar = (w + 0.012, half_y, 0.05)
        builder.part(body, "prism", (0, middle, shape.cabin_z + z), pillar, paint, form=(side, 0.0, 0.0))
    seats = Look("fabric", (0.3, 0.3, 0.32), 100, contrast=0.5)
    builder.part(body, "box", (0, -shape.shoulder, shape.cabin_z), (w * 1.02, 0.03, half_z * 1.02), seats)


def _wheels(builder: SceneBuilder, body: Body, shape: CarShape) -> None:
    r, length = shape.wheel_radius, shape.half_length
    for side in (-1, 1):
        for z in (-0.62 * length, 0.64 * length):
            x = side * (shape.half_width - 0.1)
            builder.part(body, "cylinder", (x, -r, z), (r, 0.13, r), RUBBER, LYING)
            builder.part(body, "cylinder", (x, -r, z), (r * 0.62, 0.14, r * 0.62), RIM_METAL, LYING)
            builder.part(body, "cylinder", (x, -r, z), (r * 0.2, 0.15, r * 0.2), DARK, LYING)


def _ends(builder: SceneBuilder, body: Body, shape: CarShape) -> None:
    """Lamps, grille, plates and mirrors."""
    w, length, y = shape.half_width, shape.half_length, -shape.shoulder + 0.2
    for side in (-1, 1):
        builder.part(body, "box", (side * w * 0.74, y, length - 0.06), (w * 0.19, 0.075, 0.07), LAMP)
        builder.part(body, "box", (side * w * 0.8, y - 0.04, -length + 0.04), (w * 0.14, 0.13, 0.05), TAIL)
        mirror = (side * (w + 0.08), -shape.shoulder - 0.1, shape.cabin_z + shape.cabin_half_length * 0.55)
        builder.part(body, "box", mirror, (0.1, 0.07, 0.05), DARK)
    builder.part(body, "box", (0, y + 0.03, length - 0.03), (w * 0.45, 0.06, 0.05), DARK)
    for end in (-1, 1):
        builder.part(body, "box", (0, y + 0.22, end * (length + 0.04)), (0.26, 0.06, 0.02), PLATE)
    rear = (shape.half_width * 0.7, 0.02, 0.02)
    builder.part(body, "box", (0, y + 0.12, -length - 0.02), rear, DARK)
