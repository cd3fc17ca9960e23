# SPDX-License-Identifier: Apache-2.0
"""Scenes of kind 'studio': a few textured things before a large, nearly plain wall, as in still lifes and corridors.

Nothing on the wall can be matched, so its depth must be told from its borders, its shading and the shadows on it.
"""

from __future__ import annotations

import torch
from depth_models.labels import BUILDING, OBJECT, ROAD

from .generator import COUNTS, SceneGenerator
from .rotations import pitch_matrix, yaw_matrix
from .scene import BIAS, CONTRAST, DETAIL_GAIN, GAIN, REFLECT, SHADOW, TEX_DENSITY, Scene

WALL, SIDE, FLOOR, FIRST_BOX = 0, 1, 2, 3
FEWEST, MOST = 0.06, 0.45  # fraction of the things that are present


def studio(generator: SceneGenerator, b: int) -> Scene:
    """b scenes; the wall is 1.2 to 4 times as far as the nearest thing."""
    scene, draw = generator.blank(b), generator.draw
    scene.focal = generator.width * draw.uniform(0.7, 1.8, b)
    near, d_max = draw.log_uniform(0.5, 2.5, b), draw.uniform(15, 180, b)
    scene.baseline = d_max * near / scene.focal
    far = near * draw.log_uniform(1.2, 4, b)
    things = list(range(FIRST_BOX, sum(COUNTS)))
    present = draw.uniform(FEWEST, MOST, b, 1)
    generator.scatter(scene, things, (near, far * 0.95), (0.04, 0.6), upright=0.8, present=present)
    floor = near[:, None] * draw.uniform(0.15, 0.6, b, 1)
    _stand(generator, scene, things, floor)
    _background(generator, scene, far[:, None], floor)
    scene.light[:, SHADOW] = draw.uniform(0.2, 1, b) * draw.chance(0.8, b)
    generator.scale_textures(scene, near * 1.5)
    _plain(generator, scene, [WALL, SIDE, FLOOR])
    return scene


def _stand(generator: SceneGenerator, scene: Scene, things: list[int], floor: torch.Tensor) -> None:
    """Put three of five things onto the floor, floor [B, 1] m below the camera."""
    on_floor = floor - scene.half[:, things, 1]
    stand = generator.draw.chance(0.6, *on_floor.shape)
    scene.center[:, things, 1] = torch.where(stand, on_floor, scene.center[:, things, 1])


def _background(generator: SceneGenerator, scene: Scene, far: torch.Tensor, floor: torch.Tensor) -> None:
    """A wall behind, in half of the scenes a second one at a side, in two of three a floor; far, floor: [B, 1] m."""
    draw, b = generator.draw, len(far)
    zero, thick = torch.zeros_like(far), far * 0.1
    lean = pitch_matrix(0.05 * draw.normal(b, 1)) @ yaw_matrix(0.25 * draw.normal(b, 1))
    generator.put(scene, [WALL], (zero, zero, far + thick), (far * 6, far * 6, thick), BUILDING, lean)
    corner = draw.sign(b, 1) * far * draw.uniform(0.3, 0.9, b, 1)
    half, here = (thick * 0.2, far * 6, far * 3), draw.chance(0.5, b, 1)
    generator.put(scene, [SIDE], (corner, zero, zero), half, BUILDING, lean, present=here)
    here, table = draw.chance(0.67, b, 1), draw.chance(0.5, b, 1)
    depth = torch.where(table, far * draw.uniform(0.3, 0.8, b, 1), far * 2)
    turn = yaw_matrix(0.3 * draw.normal(b, 1))
    center = (zero, floor + thick, far * draw.uniform(0.4, 0.9, b, 1))
    generator.put(scene, [FLOOR], center, (depth * 1.5, thick, depth), ROAD, turn, present=here)
    scene.semantic[:, [FLOOR]] = torch.where(table, OBJECT, ROAD)


def _plain(generator: SceneGenerator, scene: Scene, slots: list[int]) -> None:
    """Paint surfaces in one colour or with soft stains; a tenth keeps texture, so that plain does not mean far."""
    draw, b, n = generator.draw, scene.center.shape[0], len(slots)
    plain, stained = draw.chance(0.9, b, n), draw.chance(0.4, b, n)
    faint = torch.where(stained, draw.uniform(0, 0.4, b, n), draw.uniform(0, 0.06, b, n) * draw.chance(0.6, b, n))
    scene.colour[:, slots, CONTRAST] = torch.where(plain, faint, draw.uniform(0.2, 1, b, n))
    # A few texels over the whole wall: light that fades, no edges to match.
    scene.texture[:, slots, TEX_DENSITY] *= torch.where(plain & stained, draw.uniform(0.004, 0.03, b, n), 1.0)
    scene.colour[:, slots, GAIN] = draw.uniform(0.2, 1.7, b, n, 1) * draw.uniform(0.8, 1.2, b, n, 3)
    scene.colour[:, slots, BIAS] = 0.0
    scene.colour[:, slots, REFLECT] = draw.uniform(0, 0.25, b, n) * draw.chance(0.15, b, n)
    scene.texture[:, slots, DETAIL_GAIN] *= (~plain).float()
