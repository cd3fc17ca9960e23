# SPDX-License-Identifier: Apache-2.0
"""The sample street: a drive of 8 s towards a crossing, with traffic, people and parked cars.

Ground is at y = 0; the camera drives along +z in the right-hand lane, around x = 0.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from depth_models.labels import PERSON, VEHICLE

from ..rotations import pitch_matrix, roll_matrix, yaw_matrix
from ..scene import Scene
from ..textures import TextureBank
from .builder import Body, SceneBuilder, Vector
from .cars import HATCHBACK, SEDAN, SUV, VAN, CarShape, add_car
from .furniture import (
    KERB_M,
    add_bench,
    add_bin,
    add_bollards,
    add_lamp,
    add_manhole,
    add_marking,
    add_pavement,
    add_planter,
    add_road,
    add_sign,
)
from .greenery import add_hedge, add_horizon, add_tree
from .houses import add_house
from .people import add_person

# Textures of the street by category.
STREET_BANK = {
    **{"asphalt": 2, "concrete": 4, "paving": 3, "facade": 18, "shop": 9, "brick": 2, "roof": 4, "stone": 2},
    **{
        "foliage": 4,
        "bark": 2,
        "wood": 2,
        "sky": 1,
        "paint": 5,
        "metal": 3,
        "fabric": 10,
        "skin": 2,
        "hair": 4,
        "print": 6,
    },
}
CAMERA_HEIGHT_M, SPEED_M_S = 1.25, 4.4
RIGHT_KERB, LEFT_KERB, FRONT_M = 4.2, -6.0, 3.4  # x of the kerbs, width of the pavements
CROSSING = (46.0, 56.0)  # z limits of the side street
CROSSWALK_Z = 42.5
STREET_END_Z = 150.0

# Shape, paint, x, z, heading in degrees, speed along the heading in m/s.
CARS: tuple[tuple[CarShape, Vector, float, float, float, float], ...] = (
    (HATCHBACK, (0.72, 0.12, 0.1), 0.1, 11.5, 0, 4.7),  # leads
    (SEDAN, (0.75, 0.76, 0.78), -3.9, 21, 180, 5.5),  # oncoming
    (SUV, (0.12, 0.25, 0.5), -3.7, 44, 180, 5.0),
    (VAN, (0.85, 0.85, 0.83), -3.8, 95, 180, 5.5),
    (SEDAN, (0.85, 0.6, 0.1), -21, 48.6, 90, 5.0),  # crosses
    (HATCHBACK, (0.2, 0.45, 0.3), 33, 52.8, -90, 6.0),
    (SUV, (0.5, 0.5, 0.52), 3.05, 9.5, 0, 0),  # parked
    (HATCHBACK, (0.15, 0.4, 0.62), 3.1, 16.2, 2, 0),
    (SEDAN, (0.25, 0.25, 0.27), 3.0, 22.6, -1, 0),
    (VAN, (0.6, 0.14, 0.13), 3.05, 33.5, 0, 0),
    (HATCHBACK, (0.8, 0.79, 0.72), 3.1, 64, 0, 0),
    (SEDAN, (0.35, 0.1, 0.14), 3.1, 71, 180, 0),
)
# x, z, heading in degrees, speed in m/s, height, colours of top and trousers.
PEOPLE: tuple[tuple[float, float, float, float, float, Vector, Vector], ...] = (
    (5.6, 12.5, 0, 1.4, 1.78, (0.75, 0.2, 0.15), (0.15, 0.2, 0.4)),
    (5.2, 27.0, 180, 1.3, 1.68, (0.85, 0.75, 0.2), (0.2, 0.2, 0.22)),
    (6.1, 33.0, 5, 1.0, 1.83, (0.2, 0.45, 0.7), (0.45, 0.38, 0.28)),
    (4.2, CROSSWALK_Z, -90, 1.0, 1.74, (0.25, 0.55, 0.35), (0.12, 0.13, 0.2)),  # over the crosswalk
    (-7.6, CROSSWALK_Z + 0.8, 90, 0.9, 1.62, (0.8, 0.5, 0.6), (0.25, 0.25, 0.4)),
    (5.4, CROSSWALK_Z - 0.9, -90, 0.9, 1.2, (0.9, 0.45, 0.1), (0.2, 0.3, 0.55)),
    (-7.1, 17.0, 0, 1.3, 1.8, (0.85, 0.85, 0.85), (0.2, 0.2, 0.3)),
    (-7.9, 29.0, 180, 1.2, 1.7, (0.35, 0.25, 0.55), (0.5, 0.45, 0.35)),
    (-6.9, 37.0, 20, 0.0, 1.76, (0.2, 0.5, 0.55), (0.25, 0.22, 0.2)),  # stands
    (1.8, 29.5, 180, 0.8, 1.77, (0.2, 0.35, 0.65), (0.3, 0.3, 0.33)),  # along the parked cars
    (-6.6, 25.0, 0, 1.5, 1.69, (0.8, 0.3, 0.35), (0.2, 0.22, 0.35)),
    (-7.3, 25.4, 0, 1.5, 1.82, (0.3, 0.5, 0.3), (0.4, 0.35, 0.3)),
    (5.1, 60.0, 180, 1.3, 1.72, (0.6, 0.15, 0.2), (0.3, 0.3, 0.32)),
    (-7.2, 62.0, 180, 1.4, 1.79, (0.2, 0.3, 0.6), (0.2, 0.18, 0.17)),
)


def street_scene(bank: TextureBank, focal_px: float, baseline_m: float, seed: int) -> Scene:
    """The street at time 0 as a scene of one; the seed varies textures, houses, trees and gaits."""
    builder = SceneBuilder(bank, np.random.default_rng(seed))
    add_road(builder)
    _pavements_and_markings(builder)
    _houses(builder)
    _furniture(builder)
    _trees(builder)
    for shape, rgb, x, z, heading_deg, speed in CARS:
        add_car(builder, _mover(builder, VEHICLE, (x, 0.0, z), heading_deg, speed), shape, rgb)
    for x, z, heading_deg, speed, tall, top, trousers in PEOPLE:
        on_road = LEFT_KERB < x < RIGHT_KERB or abs(z - CROSSWALK_Z) < 1.0
        ground = (x, 0.0 if on_road else -KERB_M, z)
        add_person(builder, _mover(builder, PERSON, ground, heading_deg, speed), tall, top, trousers)
    light = (0.56, 0.72, 0.25, 0.0022)
    sky = (330.0, 1.0, 0.95, 0.97, 1.0, -0.1, -0.1, -0.08)
    return builder.build(focal_px, baseline_m, (-0.55, -1.0, -0.45), light, sky)


def _mover(builder: SceneBuilder, label: int, ground: Vector, heading_deg: float, speed: float) -> Body:
    yaw = math.radians(heading_deg)
    velocity = (speed * math.sin(yaw), 0.0, speed * math.cos(yaw))
    return Body(label, ground, yaw, velocity, builder.instance())


def _pavements_and_markings(builder: SceneBuilder) -> None:
    for start, stop in ((-12.0, CROSSING[0]), (CROSSING[1], STREET_END_Z)):
        add_pavement(builder, (RIGHT_KERB, RIGHT_KERB + FRONT_M), (start, stop))
        add_pavement(builder, (LEFT_KERB, LEFT_KERB - FRONT_M), (start, stop))
        middle, half = (start + stop) / 2, (stop - start) / 2
        add_marking(builder, (-1.9, middle), (0.07, half), bars=(0, half / 5))
        add_marking(builder, (1.95, middle), (0.05, half), bars=(0, half / 1.5))
    width = (RIGHT_KERB - LEFT_KERB) / 2
    add_marking(builder, ((RIGHT_KERB + LEFT_KERB) / 2, CROSSWALK_Z), (width, 1.5), bars=(width / 1.1, 0))
    add_marking(builder, (0.1, CROSSWALK_Z - 2.4), (1.7, 0.2))
    for x, z in ((0.7, 8.0), (-2.9, 15.0), (-0.6, 26.5), (1.2, 37.0), (-4.4, 33.0)):
        add_manhole(builder, x, z)


def _houses(builder: SceneBuilder) -> None:
    """Rows of joined houses on both sides, broken by the crossing."""
    number = 0
    for side, front in ((1, RIGHT_KERB + FRONT_M), (-1, LEFT_KERB - FRONT_M)):
        for begin, end in ((-12.0, CROSSING[0]), (CROSSING[1], STREET_END_Z - 8)):
            count = round((end - begin) / 9.5)
            edges = np.linspace(begin, end, count + 1)
            edges[1:-1] += builder.rng.uniform(-0.9, 0.9, count - 1)
            for start, stop in pairwise(edges):
                back = front + side * float(builder.rng.uniform(0, 0.3))
                add_house(builder, back, side, (float(start), float(stop)), 9.0, number)
                number += 1


def _furniture(builder: SceneBuilder) -> None:
    right, left = RIGHT_KERB + 0.45, LEFT_KERB - 0.45
    for z in (6.0, 25.0, 62.0, 88.0):
        add_lamp(builder, right, z, 1)
        add_lamp(builder, left, z + 10, -1)
    for x, z, rgb, is_round in (
        (right, 13.0, (1.6, 0.25, 0.2), True),
        (right, 38.6, (0.25, 0.5, 1.5), False),
        (left, 21.5, (0.25, 0.5, 1.5), True),
        (left, 39.2, (1.6, 0.25, 0.2), True),
        (right, 58.0, (1.5, 1.3, 0.2), False),
    ):
        add_sign(builder, x, z, rgb, is_round)
    add_bollards(builder, right - 0.1, (39.7, 44.9, 45.6))
    add_bollards(builder, left + 0.1, (24.0, 25.5, 27.0, 40.2, 45.2))
    add_bin(builder, RIGHT_KERB + 2.9, 18.5, (0.4, 0.42, 0.45))
    add_bin(builder, RIGHT_KERB + 2.9, 19.4, (0.25, 0.55, 0.3))
    add_bin(builder, LEFT_KERB - 2.8, 24.6, (0.75, 0.65, 0.2))
    add_bench(builder, RIGHT_KERB + 2.8, 29.5, 1)
    add_bench(builder, LEFT_KERB - 2.7, 13.0, -1)
    for x, z in ((RIGHT_KERB + 2.8, 36.0), (RIGHT_KERB + 2.8, 40.5), (LEFT_KERB - 2.7, 33.0), (LEFT_KERB - 2.7, 43.0)):
        add_planter(builder, x, z)


def _trees(builder: SceneBuilder) -> None:
    for x, z, tall in (
        (RIGHT_KERB + 0.7, 28.5, 6.0),
        (RIGHT_KERB + 0.7, 41.0, 5.0),
        (RIGHT_KERB + 0.7, 77.0, 7.0),
        (LEFT_KERB - 0.7, 10.5, 5.6),
        (LEFT_KERB - 0.7, 30.5, 6.4),
        (LEFT_KERB - 0.7, 66.0, 6.5),
        (LEFT_KERB - 0.7, 82.0, 7.0),
        (RIGHT_KERB + 0.7, 98.0, 7.0),
        (12.0, 58.5, 6.0),
        (-14.5, 58.5, 6.5),
    ):
        add_tree(builder, x, z, -KERB_M, tall)
    add_horizon(builder, STREET_END_Z)
    for side in (-1, 1):
        add_hedge(builder, (side * 60.0, 0.0, sum(CROSSING) / 2), (1.5, 2.5, 9.0))


def ego_path(seconds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Camera path: positions [T, 1, 3] m and camera -> world rotations [T, 1, 3, 3] at seconds [T].

    The car keeps its speed and weaves a little in its lane; the camera nods and rolls by tenths of a degree.
    """
    rate, swing = 2 * math.pi / 7.0, 0.035
    yaw = swing * torch.sin(rate * seconds)
    x = SPEED_M_S * swing / rate * (1 - torch.cos(rate * seconds))
    bounce = 0.012 * torch.sin(9.3 * seconds)
    position = torch.stack((x, -CAMERA_HEIGHT_M + bounce, SPEED_M_S * seconds), -1)
    nod, roll = 0.003 * torch.sin(7.1 * seconds), 0.004 * torch.sin(5.2 * seconds)
    rotation = yaw_matrix(yaw).transpose(-1, -2) @ pitch_matrix(nod) @ roll_matrix(roll)
    return position[:, None], rotation[:, None]
