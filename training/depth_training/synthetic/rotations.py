# SPDX-License-Identifier: Apache-2.0
"""Rotation matrices, world -> local unless said otherwise, in optical axes (x right, y down, z forward)."""

from __future__ import annotations

import torch
from torch.nn import functional

from .draw import Draw


def yaw_matrix(angle_rad: torch.Tensor) -> torch.Tensor:
    """World -> local rotation about the vertical axis; [...] rad -> [..., 3, 3].

    Local z, the heading, is (sin angle, 0, cos angle) in the world: a positive angle turns to the right.
    """
    c, s = angle_rad.cos(), angle_rad.sin()
    zero, one = torch.zeros_like(c), torch.ones_like(c)
    return torch.stack((c, zero, -s, zero, one, zero, s, zero, c), -1).unflatten(-1, (3, 3))


def pitch_matrix(angle_rad: torch.Tensor) -> torch.Tensor:
    """Rotation about the x axis; [...] rad -> [..., 3, 3]."""
    c, s = angle_rad.cos(), angle_rad.sin()
    zero, one = torch.zeros_like(c), torch.ones_like(c)
    return torch.stack((one, zero, zero, zero, c, -s, zero, s, c), -1).unflatten(-1, (3, 3))


def roll_matrix(angle_rad: torch.Tensor) -> torch.Tensor:
    """Rotation about the z axis; [...] rad -> [..., 3, 3]."""
    c, s = angle_rad.cos(), angle_rad.sin()
    zero, one = torch.zeros_like(c), torch.ones_like(c)
    return torch.stack((c, -s, zero, s, c, zero, zero, zero, one), -1).unflatten(-1, (3, 3))


def random_rotation(draw: Draw, *shape: int) -> torch.Tensor:
    """Uniformly random rotations [*shape, 3, 3] from unit quaternions."""
    w, x, y, z = functional.normalize(draw.normal(*shape, 4), dim=-1).unbind(-1)
    rows = (
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return torch.stack(rows, -1).unflatten(-1, (3, 3))
