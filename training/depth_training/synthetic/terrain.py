# SPDX-License-Identifier: Apache-2.0
"""Ground of the kind 'drive' that is no plane: slopes ahead, a crowned road, banks beside it."""

from __future__ import annotations

import torch
from depth_models.labels import ROAD, SIDEWALK

from .generator import SceneGenerator
from .rotations import pitch_matrix
from .scene import TEX_DENSITY, Scene

# Slots of each shape that belong to the ground.
NEAR_GROUND, FAR_GROUND, CROWN, BANKS, LANES = (0, 3), (22, 25), (16, 17), (17, 20), (21, 24)
SLOPES, CROWNS, BANKED = 0.45, 0.5, 0.35  # fractions of the scenes, of those without slope, of the banks
LENGTH_M = 300.0  # half length of a slab


def add_relief(generator: SceneGenerator, scene: Scene, ground: torch.Tensor, curb: torch.Tensor) -> None:
    """Shape a finished street; ground [B, 1] m below the camera, curb [B, 1] half width of the road in m."""
    b, draw = ground.shape[0], generator.draw
    slope = draw.chance(SLOPES, b, 1)
    _crown(generator, scene, ground, curb, ~slope & draw.chance(CROWNS, b, 1))
    _banks(generator, scene, ground, curb)
    start, angle = draw.log_uniform(8, 45, b, 1), 0.035 * draw.normal(b, 1)
    _slope(generator, scene, ground, torch.where(slope, start, 2 * LENGTH_M), torch.where(slope, angle, 0.0))


def _slope(
    generator: SceneGenerator, scene: Scene, ground: torch.Tensor, start: torch.Tensor, angle: torch.Tensor
) -> None:
    """Let road and pavements rise by `angle` (rad) from z = `start` (m) on, with what stands there; [B, 1] each."""
    near, far = generator.slots("box", *NEAR_GROUND), generator.slots("box", *FAR_GROUND)
    lanes = generator.slots("card", *LANES)
    for name in ("texture", "colour", "semantic", "instance"):
        getattr(scene, name)[:, far] = getattr(scene, name)[:, near].clone()
    x, y, _ = scene.center[:, near].unbind(-1)
    half_x, half_y, _ = scene.half[:, near].unbind(-1)
    length = torch.full_like(y, LENGTH_M)
    scene.half[:, near] = scene.half[:, far] = torch.stack((half_x, half_y, length), -1)
    scene.center[:, near] = torch.stack((x, y, start - length), -1)
    # Both slabs share the upper edge at `start`.
    sine, cosine = angle.sin(), angle.cos()
    y, z = y - half_y + half_y * cosine - length * sine, start + half_y * sine + length * cosine
    scene.center[:, far] = torch.stack((x, y, z), -1)
    scene.rotation[:, far] = pitch_matrix(-angle).expand(-1, len(far), -1, -1)
    half = torch.minimum(scene.half[:, lanes, 1], start / 2 + 5)
    scene.half[:, lanes, 1] = half
    scene.center[:, lanes, 2] = torch.minimum(scene.center[:, lanes, 2], start - half)
    standing = torch.ones(scene.center.shape[1], device=generator.device)
    standing[near + far + lanes] = 0
    scene.center[..., 1] -= (scene.center[..., 2] - start).clamp(min=0) * angle.tan() * standing


def _crown(
    generator: SceneGenerator, scene: Scene, ground: torch.Tensor, curb: torch.Tensor, here: torch.Tensor
) -> None:
    """Arch the road by 3 to 20 cm where `here` (bool [B, 1]) and lay the lane markings onto it."""
    slot, lanes = generator.slots("ellipsoid", *CROWN), generator.slots("card", *LANES)
    high, zero = generator.draw.log_uniform(0.03, 0.2, len(curb), 1), torch.zeros_like(curb)
    wide = curb * 1.02
    generator.put(scene, slot, (zero, ground, zero + 60), (wide, high, zero + LENGTH_M), ROAD, present=here)
    for name in ("texture", "colour"):
        getattr(scene, name)[:, slot] = getattr(scene, name)[:, :1].clone()
    arch = high * (1 - (scene.center[:, lanes, 0] / wide).square()).clamp(min=0).sqrt()
    scene.center[:, lanes, 1] -= (arch + 0.01) * here


def _banks(generator: SceneGenerator, scene: Scene, ground: torch.Tensor, curb: torch.Tensor) -> None:
    """Low mounds of earth or grass beside the road, as wide as lawns."""
    b, draw = ground.shape[0], generator.draw
    slots = generator.slots("ellipsoid", *BANKS)
    n = len(slots)
    half = (draw.uniform(1.5, 8, b, n), draw.log_uniform(0.1, 1.2, b, n), draw.log_uniform(4, 40, b, n))
    x = draw.sign(b, n) * (curb + 0.2 + half[0])
    center = (x, ground.expand(b, n), draw.log_uniform(4, 60, b, n))
    generator.put(scene, slots, center, half, SIDEWALK, present=draw.chance(BANKED, b, n))
    scene.texture[:, slots, TEX_DENSITY] = draw.log_uniform(25, 160, b, n)
    generator.tint(scene, slots, (0.6, 0.7, 0.45), 0.5)
