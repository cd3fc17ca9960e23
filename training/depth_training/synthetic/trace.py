# SPDX-License-Identifier: Apache-2.0
"""Rays against scenes: all primitives at once (GPU), or only those near a bundle of rays (CPU)."""

from __future__ import annotations

import torch
from torch.nn import functional

from .intersect import any_hit, nearest_hit
from .scene import FAR, Scene


def _geometry(scene: Scene) -> tuple[torch.Tensor, ...]:
    return scene.rotation, scene.center, scene.half, scene.form


def _triple(v: torch.Tensor) -> list[torch.Tensor]:
    """[B, N, 3] -> three [B, 1, N]."""
    return [v[..., i].unsqueeze(1) for i in range(3)]


class Tracer:
    """Tests every ray with every primitive; the kernels are fused by torch.compile if `compiled`."""

    def __init__(self, compiled: bool = False):
        wrap = (lambda f: torch.compile(f, dynamic=False)) if compiled else (lambda f: f)
        self._nearest_hit, self._any_hit = wrap(nearest_hit), wrap(any_hit)

    def nearest(self, scene: Scene, origin: torch.Tensor, direction: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """origin [B, 1, 3], direction [B, N, 3] -> t [B, N] in lengths of the direction (FAR = none), slot [B, N]."""
        return self._nearest_hit(scene.counts, _geometry(scene), _triple(origin), _triple(direction))

    def blocked(self, scene: Scene, origin: torch.Tensor, direction: torch.Tensor, limit: float) -> torch.Tensor:
        """True where something lies before t = limit -> bool [B, N]; origin [B, 1 or N, 3]."""
        return self._any_hit(scene.counts, _geometry(scene), _triple(origin), _triple(direction), limit)


class CullingTracer(Tracer):
    """Tests only primitives whose bounding sphere meets the bundle of rays; for one scene at a time.

    The answers are the same as Tracer's. It pays for small bundles (image tiles) of large scenes on a CPU.
    """

    def nearest(self, scene: Scene, origin: torch.Tensor, direction: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        slots = in_cone(scene, origin, direction)
        t, index = super().nearest(scene.only(slots), origin, direction)
        return t, slots[index] if len(slots) else index

    def blocked(self, scene: Scene, origin: torch.Tensor, direction: torch.Tensor, limit: float) -> torch.Tensor:
        select = in_cone if origin.shape[1] == 1 else in_beam
        return super().blocked(scene.only(select(scene, origin, direction)), origin, direction, limit)


def in_cone(scene: Scene, origin: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Slots [n] whose bounding sphere meets the cone around rays [1, N, 3] from one point [1, 1, 3]."""
    unit = functional.normalize(direction[0], dim=-1)
    axis = functional.normalize(unit.mean(0), dim=-1)
    opening = torch.acos((unit @ axis).min().clamp(-1, 1))
    offset, radius = scene.center[0] - origin[0], scene.half[0].norm(dim=-1)
    distance = offset.norm(dim=-1).clamp(min=1e-9)
    angle = torch.acos((offset @ axis / distance).clamp(-1, 1))
    margin = torch.asin((radius / distance).clamp(max=1)) + 1e-3
    return ((angle <= opening + margin) | (distance <= radius)).nonzero()[:, 0]


def in_beam(scene: Scene, origin: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Slots [n] whose bounding sphere meets parallel rays [1, N, 3] from many points [1, N, 3]."""
    axis = functional.normalize(direction[0, 0], dim=-1)
    helper = torch.eye(3, device=axis.device)[axis.abs().argmin()]
    x = functional.normalize(torch.linalg.cross(axis, helper), dim=-1)
    frame = torch.stack((x, torch.linalg.cross(axis, x), axis), -1)
    start = origin[0][origin[0].abs().amax(-1) < FAR / 2] @ frame
    if not len(start):
        return torch.zeros(0, dtype=torch.long, device=axis.device)
    low, high = start.amin(0), start.amax(0)
    center, radius = scene.center[0] @ frame, scene.half[0].norm(dim=-1, keepdim=True) + 1e-3
    ahead = center[:, 2] + radius[:, 0] > low[2]
    beside = ((center + radius > low) & (center - radius < high))[:, :2].all(-1)
    return (ahead & beside).nonzero()[:, 0]
