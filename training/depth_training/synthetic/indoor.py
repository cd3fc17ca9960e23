# SPDX-License-Identifier: Apache-2.0
"""Scenes of kind 'indoor': a room with a table, cabinets and objects on the floor or in the air."""

from __future__ import annotations

import torch
from depth_models.labels import BUILDING, OBJECT, ROAD

from .generator import COUNTS, SceneGenerator
from .rotations import yaw_matrix
from .scene import CONTRAST, Scene

ROOM, FLOOR, TABLE, LEGS, CABINETS, FIRST_LOOSE = 0, 1, 2, (3, 4), [5, 6, 7], 8


def indoor(generator: SceneGenerator, b: int) -> Scene:
    """b rooms; disparities are set by a nearest distance of 0.6 to 2.5 m."""
    scene, draw = generator.blank(b), generator.draw
    scene.focal = generator.width * draw.uniform(0.6, 1.5, b)
    near, d_max = draw.log_uniform(0.6, 2.5, b), draw.uniform(20, 180, b)
    scene.baseline = d_max * near / scene.focal
    far = near * draw.uniform(2, 6, b)
    loose = list(range(FIRST_LOOSE, sum(COUNTS)))
    generator.scatter(scene, loose, (near, far), (0.03, 0.3), upright=0.7, present=0.75)
    floor = near[:, None] * draw.uniform(0.4, 1.2, b, 1)
    _room(generator, scene, near[:, None], far[:, None], floor)
    _table(generator, scene, near[:, None], floor)
    # Solids stand on the floor in two of five cases.
    solids = list(range(FIRST_LOOSE, COUNTS.slices()["card"].start))
    on_floor = floor - scene.half[:, solids, 1]
    stand = draw.chance(0.4, b, len(solids))
    scene.center[:, solids, 1] = torch.where(stand, on_floor, scene.center[:, solids, 1])
    generator.tint(scene, [ROOM], (0.8, 0.78, 0.74), 0.4)
    plain = draw.chance(0.5, b)
    scene.colour[:, ROOM, CONTRAST] = torch.where(plain, draw.uniform(0.02, 0.3, b), draw.uniform(0.3, 1, b))
    generator.scale_textures(scene, near * 1.5)
    return scene


def _room(generator: SceneGenerator, scene: Scene, near: torch.Tensor, far: torch.Tensor, floor: torch.Tensor) -> None:
    """Walls, floor and three cabinets along the far wall; near, far, floor: [B, 1] m."""
    draw, b = generator.draw, len(near)
    zero, ceiling = torch.zeros_like(near), -near * draw.uniform(0.8, 2.0, b, 1)
    depth = far * draw.uniform(1.0, 1.5, b, 1)
    yaw = yaw_matrix(draw.uniform(-0.5, 0.5, b, 1))
    half = (depth * draw.uniform(0.7, 1.2, b, 1), (floor - ceiling) / 2, depth)
    generator.put(scene, [ROOM], (zero, (floor + ceiling) / 2, zero), half, BUILDING, yaw)
    generator.put(scene, [FLOOR], (zero, floor, zero), (depth * 1.5, near * 0.02, depth * 1.5), ROAD, yaw)
    tall = (floor - ceiling) * draw.uniform(0.1, 0.4, b, 3)
    center = (far * draw.uniform(-0.9, 0.9, b, 3), floor - tall, far * draw.uniform(0.6, 1.1, b, 3))
    half = (tall * draw.uniform(0.4, 1.5, b, 3), tall, tall * draw.uniform(0.2, 0.6, b, 3))
    generator.put(scene, CABINETS, center, half, OBJECT, yaw.expand(b, 3, 3, 3))


def _table(generator: SceneGenerator, scene: Scene, near: torch.Tensor, floor: torch.Tensor) -> None:
    """A table top on two boards, one instance; near, floor: [B, 1] m."""
    draw, b = generator.draw, len(near)
    z, y = near * draw.uniform(1.3, 3.0, b, 1), floor * draw.uniform(0.25, 0.8, b, 1)
    x, width = near * draw.uniform(-1, 1, b, 1), near * draw.uniform(0.5, 1.3, b, 1)
    zero, turn = torch.zeros_like(near), yaw_matrix(draw.uniform(-0.8, 0.8, b, 1))
    top = (width, near * 0.03, width * draw.uniform(0.4, 0.8, b, 1))
    generator.put(scene, [TABLE], (x, y, z), top, OBJECT, turn)
    for slot, side in zip(LEGS, (-0.85, 0.85), strict=True):
        local = torch.stack((width * side, zero, zero), -1).unsqueeze(-1)
        offset = (turn.transpose(-1, -2) @ local).squeeze(-1)
        center = (x + offset[..., 0], (y + floor) / 2, z + offset[..., 2])
        half = (near * 0.04, (floor - y) / 2, width * 0.35)
        generator.put(scene, [slot], center, half, OBJECT, turn, instance=[TABLE])
