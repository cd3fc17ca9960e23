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
        """True where something lies before t = limit -> bool [B, N]; origin, direction [B, 1 or N, 3]."""
        return self._any_hit(scene.counts, _geometry(scene), _triple(origin), _triple(direction), limit)


class CullingTracer(Tracer):
    """Tests only primitives whose bounding box meets the bundle of rays; for one scene at a time.

    The results are the same as Tracer's. It pays for small bundles (image tiles) of large scenes on a CPU.
    """

    def nearest(self, scene: Scene, origin: torch.Tensor, direction: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        slots = in_cone(scene, origin, direction)
        t, index = super().nearest(scene.only(slots), origin, direction)
        return t, slots[index] if len(slots) else index

    def blocked(self, scene: Scene, origin: torch.Tensor, direction: torch.Tensor, limit: float) -> torch.Tensor:
        select = in_cone if origin.shape[1] == 1 else in_beam
        return super().blocked(scene.only(select(scene, origin, direction)), origin, direction, limit)


def _frame(axis: torch.Tensor) -> torch.Tensor:
    """Orthonormal columns [3, 3]: two near the world axes that are most across `axis`, and `axis` itself."""
    across = torch.eye(3, device=axis.device)[axis.abs().argmin()]
    x = functional.normalize(torch.linalg.cross(across, axis), dim=-1)
    return torch.stack((x, torch.linalg.cross(axis, x), axis), -1)


def _bounds(scene: Scene, frame: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Centres and half extents [P, 3] of the primitives' bounding boxes along the columns of `frame`."""
    reach = ((scene.rotation[0] @ frame).abs() * scene.half[0].unsqueeze(-1)).sum(1)
    return scene.center[0] @ frame, reach + 1e-3


def in_cone(scene: Scene, origin: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Slots [n] whose bounding box meets the pyramid around rays [1, N, 3] from one point [1, 1, 3]."""
    frame = _frame(functional.normalize(direction[0].mean(0), dim=-1))
    rays = direction[0] @ frame
    if rays[:, 2].min() <= 1e-3 * rays.abs().max():
        return torch.arange(scene.center.shape[1], device=rays.device)
    slopes = rays[:, :2] / rays[:, 2:]
    center, reach = _bounds(scene, frame)
    center = center - origin[0] @ frame
    low, high = center - reach, center + reach
    # The extreme slopes of a box lie at its near end on the far side of the axis, else at its far end.
    near, far = low[:, 2:].clamp(min=1e-6), high[:, 2:].clamp(min=1e-6)
    smallest = low[:, :2] / torch.where(low[:, :2] < 0, near, far)
    largest = high[:, :2] / torch.where(high[:, :2] < 0, far, near)
    beside = (smallest > slopes.amax(0) + 1e-4) | (largest < slopes.amin(0) - 1e-4)
    return ((high[:, 2] > 0) & ~beside.any(-1)).nonzero()[:, 0]


def in_beam(scene: Scene, origin: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Slots [n] whose bounding box meets rays of one direction [1, 1, 3] from many points [1, N, 3]."""
    frame = _frame(functional.normalize(direction[0, 0], dim=-1))
    start = origin[0][origin[0].abs().amax(-1) < FAR / 2] @ frame
    if not len(start):
        return torch.zeros(0, dtype=torch.long, device=frame.device)
    low, high = start.amin(0), start.amax(0)
    center, reach = _bounds(scene, frame)
    beside = ((center + reach < low) | (center - reach > high))[:, :2].any(-1)
    return ((center[:, 2] + reach[:, 2] > low[2]) & ~beside).nonzero()[:, 0]
