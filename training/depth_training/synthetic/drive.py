# SPDX-License-Identifier: Apache-2.0
"""Scenes of kind 'drive': a random street with pavements, buildings and street furniture; traffic is in traffic.py."""

from __future__ import annotations

import math

import torch
from depth_models.labels import BUILDING, OBJECT, POLE, ROAD, SIDEWALK, VEGETATION

from .generator import NEVER, SceneGenerator
from .rotations import random_rotation, yaw_matrix
from .scene import (
    DETAIL_GAIN,
    HAZE,
    HOLE_THRESHOLD,
    REFLECT,
    RIM,
    SHADOW,
    SKY_CONTRAST,
    SKY_GAIN,
    TEX_DENSITY,
    Scene,
)
from .terrain import add_relief
from .traffic import add_people, add_vehicles

GROUND_AND_WALLS = 9  # box slots: road, two pavements, six buildings
BIN_SLOTS, ROOF_SLOTS = (17, 22), (6, 12)  # among boxes, prisms


def drive(generator: SceneGenerator, b: int) -> Scene:
    """b street scenes with the camera 1.0 to 2.2 m above the road."""
    scene, draw = generator.blank(b), generator.draw
    scene.focal = generator.width * draw.uniform(0.5, 1.1, b)
    ground = draw.uniform(1.0, 2.2, b, 1)  # y of the road = camera height
    scene.baseline = ground[:, 0] * draw.uniform(0.12, 0.75, b)
    curb = draw.uniform(3, 8, b, 1)  # half width of the road
    scene.texture[..., TEX_DENSITY] = draw.log_uniform(20, 220, *scene.texture.shape[:2])
    _ground_and_buildings(generator, scene, ground, curb)
    add_vehicles(generator, scene, ground, curb)
    add_people(generator, scene, ground, curb)
    _plants(generator, scene, ground, curb)
    _trees(generator, scene, ground, curb)
    _bins_and_poles(generator, scene, ground, curb)
    _fences_and_lanes(generator, scene, ground, curb)
    add_relief(generator, scene, ground, curb)
    scene.colour[:, :GROUND_AND_WALLS, REFLECT] = 0
    scene.sky[:, SKY_CONTRAST] = draw.uniform(0, 0.6, b) * draw.chance(0.6, b)
    blue = torch.tensor((0.75, 0.9, 1.1), device=generator.device)
    colour = torch.where(draw.chance(0.5, b, 1), blue, torch.ones_like(blue))
    scene.sky[:, SKY_GAIN] = colour * draw.uniform(0.9, 2.0, b, 1)
    scene.light[:, SHADOW] = draw.uniform(0.2, 1, b) * draw.chance(0.75, b)
    _weather(generator, scene)
    return scene


def _weather(generator: SceneGenerator, scene: Scene) -> None:
    """Haze in some scenes and night in others: a dark sky, and haze of its colour for lamps that do not reach far."""
    b, draw = scene.focal.shape[0], generator.draw
    haze, night = draw.chance(0.15, b), draw.chance(0.1, b)
    thickness = torch.where(night, draw.log_uniform(0.01, 0.08, b), draw.log_uniform(0.002, 0.02, b))
    scene.light[:, HAZE] = torch.where(haze | night, thickness, 0.0)
    scene.sky[:, SKY_GAIN] *= torch.where(night, draw.log_uniform(0.01, 0.15, b), 1.0)[:, None]


def roadside(
    generator: SceneGenerator, curb: torch.Tensor, n: int, near: float = 0.2, far: float = 4.0
) -> torch.Tensor:
    """x [B, n] of things beside the road, on a random side."""
    b = curb.shape[0]
    return generator.draw.sign(b, n) * (curb + generator.draw.uniform(near, far, b, n))


def small_yaw(generator: SceneGenerator, b: int, n: int, sigma_rad: float) -> torch.Tensor:
    return yaw_matrix(sigma_rad * generator.draw.normal(b, n))


def _sides(generator: SceneGenerator) -> torch.Tensor:
    return torch.tensor((-1.0, 1.0), device=generator.device)


def _ground_and_buildings(generator: SceneGenerator, scene: Scene, ground: torch.Tensor, curb: torch.Tensor) -> None:
    b, draw, side = curb.shape[0], generator.draw, _sides(generator)
    zero, walk = torch.zeros_like(curb), draw.uniform(1.5, 12, b, 1)
    generator.put(scene, [0], (zero, ground + 1, zero), (zero + 300, zero + 1, zero + 600), ROAD)
    center = ((curb + walk) * side, ground + 0.5 - draw.uniform(0.02, 0.2, b, 1), zero + 200)
    generator.put(scene, [1, 2], center, (walk, zero + 0.5, zero + 300), SIDEWALK)
    scene.texture[:, :3, TEX_DENSITY] = draw.log_uniform(25, 160, b, 3)
    scene.texture[:, 0, DETAIL_GAIN] = draw.uniform(0.1, 0.6, b)
    generator.tint(scene, [0], (0.7, 0.7, 0.7), 0.4, (0.12, 0.8))
    # Three buildings per side behind the pavement, some with a roof; some scenes have open sides.
    sides = side.repeat_interleave(3)
    facade = curb + 2 * walk * draw.uniform(0.3, 1.0, b, 1) + draw.uniform(0, 6, b, 6)
    half_x, half_y, half_z = draw.uniform(3, 8, b, 6), draw.log_uniform(2, 14, b, 6), draw.uniform(4, 16, b, 6)
    z = torch.tensor((8.0, 30.0, 60.0) * 2, device=generator.device) + draw.uniform(-6, 12, b, 6)
    x, here, turn = sides * (facade + half_x), draw.chance(0.85, b, 6), small_yaw(generator, b, 6, 0.06)
    walls = list(range(3, GROUND_AND_WALLS))
    # They go on below the ground, which may fall away from them.
    generator.put(
        scene, walls, (x, ground - half_y + 1.5, z), (half_x, half_y + 1.5, half_z), BUILDING, turn, present=here
    )
    rise, eaves = draw.uniform(0.5, 2, b, 6), draw.uniform(0, 0.4, b, 1)
    center, half = (x, ground - 2 * half_y - rise, z), (half_x + eaves, rise, half_z + eaves)
    roofs = generator.slots("prism", *ROOF_SLOTS)
    generator.put(scene, roofs, center, half, BUILDING, turn, present=here & draw.chance(0.5, b, 6))


def _plants(generator: SceneGenerator, scene: Scene, ground: torch.Tensor, curb: torch.Tensor) -> None:
    """Bushes, hedges and, in most scenes, a distant skyline that closes the view."""
    b, draw = curb.shape[0], generator.draw
    bushes = generator.slots("ellipsoid", 6, 12)
    hedges, skyline = generator.slots("card", 8, 12), generator.slots("card", 12, 14)
    size = draw.uniform(0.3, 1.2, b, 6)
    center = (roadside(generator, curb, 6, 0.3, 8), ground - size * 0.6, draw.log_uniform(4, 50, b, 6))
    half = (size * draw.uniform(0.6, 2, b, 6), size, size)
    generator.put(scene, bushes, center, half, VEGETATION, present=draw.chance(0.5, b, 6))
    low = draw.uniform(0.4, 2.5, b, 4)
    center = (roadside(generator, curb, 4, 0.3, 10), ground - low * 0.9, draw.log_uniform(5, 60, b, 4))
    half, turn = (low * draw.uniform(0.7, 3, b, 4), low, low), yaw_matrix(draw.uniform(-1.4, 1.4, b, 4))
    generator.put(scene, hedges, center, half, VEGETATION, turn, present=draw.chance(0.5, b, 4))
    center = (draw.uniform(-60, 60, b, 2), ground - 2, draw.uniform(50, 180, b, 2))
    half = (draw.uniform(20, 120, b, 2), draw.uniform(4, 25, b, 2), torch.ones_like(curb))
    here, turn = draw.chance(0.6, b, 2), small_yaw(generator, b, 2, 0.2)
    generator.put(scene, skyline, center, half, VEGETATION, turn, present=here)
    generator.tint(scene, bushes + hedges + skyline, (0.55, 0.7, 0.4), 0.6)
    scene.form[:, hedges, HOLE_THRESHOLD] = draw.uniform(-0.1, 0.7, b, 4)
    whole = draw.chance(0.7, b, 2)
    scene.form[:, skyline, HOLE_THRESHOLD] = torch.where(whole, NEVER, draw.uniform(0, 0.7, b, 2))


def _trees(generator: SceneGenerator, scene: Scene, ground: torch.Tensor, curb: torch.Tensor) -> None:
    """Four trees: trunk, crown and two crossing leaf cards each."""
    b, draw, n = curb.shape[0], generator.draw, 4
    crowns, trunks, leaves = (
        generator.slots("ellipsoid", 12, 16),
        generator.slots("cylinder", 3, 7),
        generator.slots("card", 0, 8),
    )
    x, z, here = roadside(generator, curb, n, 0.3, 6), draw.log_uniform(5, 50, b, n), draw.chance(0.6, b, n)
    crown, trunk = draw.uniform(0.8, 2.5, b, n), draw.uniform(1.2, 3, b, n)
    middle = ground - trunk - crown * 0.6
    generator.put(scene, crowns, (x, middle, z), (crown * 0.55,) * 3, VEGETATION, present=here)
    half = (draw.uniform(0.06, 0.25, b, n), trunk, draw.uniform(0.06, 0.25, b, n))
    generator.put(scene, trunks, (x, ground - trunk, z), half, VEGETATION, present=here)
    twice = lambda t: t.repeat(1, 2)  # noqa: E731
    center, half = (twice(x), twice(middle), twice(z)), (twice(crown) * 1.2, twice(crown), twice(crown))
    turn = random_rotation(draw, b, 2 * n)
    generator.put(scene, leaves, center, half, VEGETATION, turn, present=twice(here))
    generator.tint(scene, crowns + leaves, (0.55, 0.7, 0.4), 0.6)
    scene.form[:, leaves, HOLE_THRESHOLD] = draw.uniform(-0.1, 0.7, b, 2 * n)
    scene.form[:, leaves, RIM] = draw.uniform(0.6, 0.9, b, 2 * n)


def _bins_and_poles(generator: SceneGenerator, scene: Scene, ground: torch.Tensor, curb: torch.Tensor) -> None:
    """Five bins and five poles, most with a sign."""
    b, draw, n = curb.shape[0], generator.draw, 5
    size = draw.uniform(0.15, 0.6, b, n)
    center = (roadside(generator, curb, n), ground - size, draw.log_uniform(4, 40, b, n))
    half = (size * draw.uniform(0.3, 1, b, n), size, size * draw.uniform(0.3, 1, b, n))
    bins, turn = generator.slots("box", *BIN_SLOTS), yaw_matrix(draw.uniform(-1.5, 1.5, b, n))
    generator.put(scene, bins, center, half, OBJECT, turn, present=draw.chance(0.6, b, n))
    poles, signs = generator.slots("cylinder", 7, 12), generator.slots("card", 14, 19)
    x, z = roadside(generator, curb, n), draw.log_uniform(4, 50, b, n)
    radius, here = draw.log_uniform(0.02, 0.15, b, n), draw.chance(0.7, b, n)
    half = (radius, draw.uniform(0.6, 3.5, b, n), radius)
    generator.put(scene, poles, (x, ground - 2.5, z), half, POLE, present=here)
    plate, here = draw.uniform(0.2, 0.5, b, n), here & draw.chance(0.7, b, n)
    center = (x, ground - draw.uniform(1.8, 3.2, b, n), z - radius - 0.02)
    half, turn = (plate, plate, torch.full_like(plate, 0.1)), small_yaw(generator, b, n, 0.3)
    generator.put(scene, signs, center, half, POLE, turn, present=here)


def _fences_and_lanes(generator: SceneGenerator, scene: Scene, ground: torch.Tensor, curb: torch.Tensor) -> None:
    b, draw, side = curb.shape[0], generator.draw, _sides(generator)
    fences, lanes, thin = generator.slots("card", 19, 21), generator.slots("card", 21, 24), torch.full_like(curb, 0.1)
    along, tall = yaw_matrix(math.pi / 2 + 0.05 * draw.normal(b, 2)), draw.uniform(0.4, 1.2, b, 2)
    center = (side * (curb + draw.uniform(0.1, 2, b, 2)), ground - tall, draw.uniform(8, 25, b, 2))
    half, here = (draw.uniform(4, 15, b, 2), tall, thin), draw.chance(0.35, b, 2)
    generator.put(scene, fences, center, half, POLE, along, present=here)
    flat = torch.tensor(((1.0, 0, 0), (0, 0, 1), (0, -1, 0)), device=generator.device).expand(b, 3, 3, 3)
    across = torch.tensor((-0.95, 0.0, 0.95), device=generator.device)
    center = (curb * across + draw.uniform(-0.3, 0.3, b, 3), ground - 0.006, torch.full_like(curb, 60.0))
    half, here = (draw.uniform(0.05, 0.15, b, 3), torch.full_like(curb, 70.0), thin), draw.chance(0.7, b, 3)
    generator.put(scene, lanes, center, half, ROAD, flat, present=here)
    generator.tint(scene, lanes, (1.1, 1.1, 1.05), 0.25, (0.1, 0.5))
    # Bars of fences run along u, dashes of lanes along v: one wave only, thresholded.
    dashes = torch.where(draw.chance(0.6, b, 3), 0.0, NEVER)
    _one_wave(scene, fences, 7, draw.uniform(6, 32, b, 2), draw.uniform(-0.6, 0.4, b, 2))
    _one_wave(scene, lanes, 8, draw.uniform(4, 12, b, 3), dashes)


def _one_wave(scene: Scene, cards: list[int], column: int, periods: torch.Tensor, threshold: torch.Tensor) -> None:
    """Rectangular cards with holes along one axis; column: that axis's frequency in Scene.form."""
    scene.form[:, cards, RIM], scene.form[:, cards, 7:11] = NEVER, 0.0
    scene.form[:, cards, column], scene.form[:, cards, HOLE_THRESHOLD] = periods, threshold
