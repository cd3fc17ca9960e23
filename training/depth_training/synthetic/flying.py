# SPDX-License-Identifier: Apache-2.0
"""Scenes of kind 'flying': shapes of any size at any place in a textured hall (domain randomisation, no labels)."""

from __future__ import annotations

import torch
from depth_models.labels import BUILDING
from depth_runtime.spec import UNLABELLED

from .generator import COUNTS, SceneGenerator
from .rotations import yaw_matrix
from .scene import TEX_DENSITY, Scene


def flying(generator: SceneGenerator, b: int) -> Scene:
    """b scenes of scattered primitives; every semantic id is UNLABELLED."""
    scene, draw = generator.blank(b), generator.draw
    scene.focal = generator.width * draw.uniform(0.6, 1.4, b)
    near, d_max = draw.log_uniform(1, 3, b), draw.uniform(25, 190, b)
    scene.baseline = d_max * near / scene.focal
    far = near * draw.uniform(4, 14, b)
    generator.scatter(scene, list(range(1, sum(COUNTS))), (near, far), (0.04, 0.5), upright=0.3, present=0.6)
    side = far[:, None] * draw.uniform(1.0, 2.0, b, 1)
    zero = torch.zeros_like(side)
    turn = yaw_matrix(draw.uniform(-1.5, 1.5, b, 1))
    generator.put(scene, [0], (zero, zero, zero), (side, side * 0.7, side), BUILDING, turn)
    scene.semantic[:] = UNLABELLED
    generator.scale_textures(scene, near * 2)
    scene.texture[:, 0, TEX_DENSITY] *= near * 2 / far
    return scene
