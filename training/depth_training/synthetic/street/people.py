# SPDX-License-Identifier: Apache-2.0
"""People of about 14 parts who walk with swinging arms and legs."""

from __future__ import annotations

import math

from depth_models.labels import PERSON

from .builder import Body, Look, SceneBuilder, Vector

SKIN_TONES = ((1.25, 1.2, 1.15), (1.0, 0.95, 0.9), (0.75, 0.68, 0.62))
STRIDE_PER_SPEED = 1.9  # rad/s of leg swing per m/s of walking, plus the rate below
STRIDE_BASE = 3.4


def add_person(builder: SceneBuilder, body: Body, tall_m: float, top: Vector, trousers: Vector) -> None:
    """Add a person as one instance, walking if body.velocity is not zero; top, trousers: colours 0..1."""
    assert body.label == PERSON
    scale, rng = tall_m / 1.75, builder.rng
    speed = math.hypot(body.velocity[0], body.velocity[2])
    rate = (STRIDE_BASE + STRIDE_PER_SPEED * speed) if speed > 0 else 0.0
    gait = (0.42 * min(1.0, speed) if speed > 0 else 0.0, rate, float(rng.uniform(0, 2 * math.pi)))
    skin = Look("skin", SKIN_TONES[int(rng.integers(3))], 300, contrast=0.8)
    shirt = Look("fabric", tuple(0.25 + 1.3 * c for c in top), 260, contrast=0.7)
    cloth = Look("fabric", tuple(0.1 + 1.3 * c for c in trousers), 260, contrast=0.35)

    def place(shape: str, offset: Vector, half: Vector, look: Look, swing: tuple = (0.0, 0.0, 0.0, 0.0)) -> None:
        offset, half = (tuple(scale * v for v in vector) for vector in (offset, half))
        builder.part(body, shape, offset, half, look, swing=swing)

    _limbs(place, gait, (shirt, cloth, skin))
    place("ellipsoid", (0, -0.95, 0), (0.175, 0.17, 0.12), cloth)
    place("ellipsoid", (0, -1.2, 0), (0.205, 0.3, 0.125), shirt)
    place("ellipsoid", (0, -1.4, 0), (0.225, 0.1, 0.11), shirt)
    place("cylinder", (0, -1.49, 0), (0.055, 0.08, 0.055), skin)
    place("ellipsoid", (0, -1.62, 0.01), (0.082, 0.125, 0.1), skin)
    hair = Look("hair", (0.8, 0.8, 0.8), 200)
    place("ellipsoid", (0, -1.655, -0.02), (0.09, 0.11, 0.105), hair)
    if rng.random() < 0.45:
        place("box", (0, -1.2, -0.17), (0.15, 0.22, 0.08), Look("fabric", (0.9, 0.5, 0.4), 200))


def _limbs(place, gait: tuple[float, float, float], looks: tuple[Look, Look, Look]) -> None:
    """Legs with shoes and arms with hands; opposite limbs swing together."""
    angle, rate, phase = gait
    shirt, cloth, skin = looks
    shoe = Look("fabric", (0.25, 0.22, 0.2), 200, contrast=0.4)
    for side in (-1, 1):
        leg = phase + (0 if side > 0 else math.pi)
        hip, hand = 0.92, 1.42  # heights of the pivots
        # A pivot is given in half heights of the part that swings about it.
        place("cylinder", (side * 0.095, -0.5, 0), (0.08, 0.42, 0.085), cloth, (angle, rate, leg, 1.0))
        place(
            "ellipsoid", (side * 0.095, -0.06, 0.05), (0.055, 0.06, 0.14), shoe, (angle, rate, leg, (hip - 0.06) / 0.06)
        )
        arm = leg + math.pi
        place("cylinder", (side * 0.245, -1.15, 0), (0.05, 0.28, 0.055), shirt, (angle, rate, arm, 1.0))
        place("ellipsoid", (side * 0.245, -0.84, 0), (0.04, 0.08, 0.05), skin, (angle, rate, arm, (hand - 0.84) / 0.08))
