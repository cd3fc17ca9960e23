# SPDX-License-Identifier: Apache-2.0
"""Vehicles and people of the kind 'drive'."""

from __future__ import annotations

import torch
from depth_models.labels import PERSON, VEHICLE

from .generator import SceneGenerator
from .rotations import yaw_matrix
from .scene import BULGE, CONTRAST, GAIN, REFLECT, TAPER_BACK, TAPER_FRONT, TAPER_SIDE, Scene

CARS, TRUCK_SLOTS = 6, (15, 17)


def add_vehicles(generator: SceneGenerator, scene: Scene, ground: torch.Tensor, curb: torch.Tensor) -> None:
    """Six cars (body and tapered cabin; the first also shows its wheels) and two vans; ground, curb [B, 1] m."""
    b, draw, n = curb.shape[0], generator.draw, CARS
    bodies, cabins = generator.slots("box", 9, 9 + n), generator.slots("prism", 0, n)
    parked = draw.chance(0.6, b, n)
    at_curb = draw.sign(b, n) * draw.uniform(0.5, 1, b, n)
    x = curb * 0.85 * torch.where(parked, at_curb, draw.uniform(-0.7, 0.7, b, n))
    z = draw.log_uniform(5, 60, b, n)
    length, width, height = draw.uniform(1.7, 2.5, b, n), draw.uniform(0.75, 1.0, b, n), draw.uniform(0.35, 0.55, b, n)
    heading = torch.where(draw.chance(0.8, b, n), 0.08 * draw.normal(b, n), draw.uniform(-1.6, 1.6, b, n))
    turn, base = yaw_matrix(heading), ground - 0.2
    here = draw.chance(0.85, b, n) & ((z - length > 3) | (x.abs() > 3))
    generator.put(scene, bodies, (x, base - height, z), (width, height, length), VEHICLE, turn, present=here)
    cabin, back = height * draw.uniform(0.6, 0.9, b, n), length * draw.uniform(-0.2, 0.2, b, n)
    center = (x + heading.sin() * back, base - 2 * height - cabin, z + heading.cos() * back)
    half = (width * 0.95, cabin, length * draw.uniform(0.4, 0.75, b, n))
    generator.put(scene, cabins, center, half, VEHICLE, turn, instance=bodies, present=here)
    scene.form[:, cabins, TAPER_SIDE] = draw.uniform(0.05, 0.35, b, n)
    scene.form[:, cabins, TAPER_FRONT] = draw.uniform(0.1, 0.9, b, n)
    scene.form[:, cabins, TAPER_BACK] = draw.uniform(0.05, 0.7, b, n)
    for group in (bodies, cabins):
        scene.form[:, group, BULGE] = draw.uniform(0, 0.5, b, n)
        scene.colour[:, group, CONTRAST] = draw.uniform(0.03, 0.5, b, n)
        scene.colour[:, group, REFLECT] = draw.uniform(0.05, 0.55, b, n) * draw.chance(0.7, b, n)
    # Half of the cabins are glass: dark inside, and mirroring more than paint does.
    glass = draw.chance(0.5, b, n)
    shine = torch.where(glass, draw.uniform(0.2, 0.8, b, n), scene.colour[:, cabins, REFLECT])
    scene.colour[:, cabins, REFLECT] = shine
    scene.colour[:, cabins, GAIN] *= torch.where(glass, 0.3, 1.0)[..., None]
    scene.velocity[:, bodies + cabins, 2] = (draw.uniform(-12, 12, b, n) * ~parked).repeat(1, 2)
    first = slice(0, 1)
    middle = torch.stack((x, ground.expand_as(x) - 0.32, z), -1)[:, first]
    _wheels(generator, scene, bodies[0], middle, turn[:, first], (width[:, first], length[:, first]), here[:, first])
    center = (curb * 0.7 * draw.uniform(-1, 1, b, 2), ground - 1.6, draw.log_uniform(10, 60, b, 2))
    half = (draw.uniform(0.9, 1.3, b, 2), draw.uniform(0.9, 1.5, b, 2), draw.uniform(2, 6, b, 2))
    vans, turn = generator.slots("box", *TRUCK_SLOTS), yaw_matrix(0.1 * draw.normal(b, 2))
    generator.put(scene, vans, center, half, VEHICLE, turn, present=draw.chance(0.4, b, 2))


def _wheels(
    generator: SceneGenerator,
    scene: Scene,
    body: int,
    middle: torch.Tensor,
    turn: torch.Tensor,
    size: tuple[torch.Tensor, torch.Tensor],
    here: torch.Tensor,
) -> None:
    """Four wheels of one car; middle [B, 1, 3] m between them, turn [B, 1, 3, 3], size: half width and length."""
    lie = torch.tensor(((0.0, 1, 0), (1, 0, 0), (0, 0, -1)), device=generator.device)  # wheel axis = car's x axis
    wheels, (width, length) = generator.slots("cylinder", 12, 16), size
    zero = torch.zeros_like(width)
    for slot, (sx, sz) in zip(wheels, ((-1, -0.65), (1, -0.65), (-1, 0.65), (1, 0.65)), strict=True):
        local = torch.stack((sx * width * 0.95, zero, sz * length), -1)
        center = middle + (turn.transpose(-1, -2) @ local.unsqueeze(-1)).squeeze(-1)
        half = (zero + 0.32, zero + 0.12, zero + 0.32)
        generator.put(scene, [slot], center.unbind(-1), half, VEHICLE, lie @ turn, instance=[body], present=here)
    scene.velocity[:, wheels] = scene.velocity[:, [body]]
    generator.tint(scene, wheels, (0.15, 0.15, 0.15), 0.4)


def add_people(generator: SceneGenerator, scene: Scene, ground: torch.Tensor, curb: torch.Tensor) -> None:
    """Three people: torso and head are ellipsoids, the legs one cylinder."""
    b, draw, n = curb.shape[0], generator.draw, 3
    torso, head, legs = (
        generator.slots("ellipsoid", 0, n),
        generator.slots("ellipsoid", n, 2 * n),
        generator.slots("cylinder", 0, n),
    )
    beside = draw.sign(b, n) * (curb + draw.uniform(0.2, 4, b, n))
    x = torch.where(draw.chance(0.7, b, n), beside, curb * draw.uniform(-1, 1, b, n))
    z, tall, here = draw.log_uniform(4, 30, b, n), draw.uniform(1.5, 1.95, b, n), draw.chance(0.6, b, n)
    turn = yaw_matrix(draw.uniform(-1.5, 1.5, b, n))
    # Heights of the centres and half sizes as fractions of the body height.
    parts = ((torso, 0.62, (0.15, 0.22, 0.09)), (head, 0.92, (0.055, 0.08, 0.065)), (legs, 0.24, (0.1, 0.24, 0.07)))
    for slots, middle, half in parts:
        size = tuple(tall * fraction for fraction in half)
        generator.put(scene, slots, (x, ground - tall * middle, z), size, PERSON, turn, instance=torso, present=here)
    scene.velocity[:, torso + head + legs, 0] = draw.uniform(-1.5, 1.5, b, n).repeat(1, 3)
