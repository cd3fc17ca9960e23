# SPDX-License-Identifier: Apache-2.0
"""Ray intersections with all primitives of a scene batch, in closed form, one formula per shape.

Vectors are triples of [B, P, N] tensors (or broadcastable), so that torch.compile fuses everything into a
few kernels; P counts the primitives of one shape, N the rays.
"""

from __future__ import annotations

import torch

from .scene import (
    FAR,
    HARMONICS,
    HOLE_FREQUENCY,
    HOLE_PHASE,
    HOLE_THRESHOLD,
    RIM,
    TAPER_BACK,
    TAPER_FRONT,
    TAPER_SIDE,
    Counts,
)

EPS = 1e-4  # metres times the length of the direction vector: closer hits are the starting surface
Triple = list[torch.Tensor]


def _local_rays(
    geometry: tuple[torch.Tensor, ...], group: slice, origin: Triple, direction: Triple
) -> tuple[Triple, Triple]:
    """Rays in the unit frames of one shape's primitives.

    origin, direction: three [B, 1, 1 or N] each -> origin and direction, three [B, P, 1 or N] each.
    """
    rotation, center, half = (g[:, group] for g in geometry[:3])
    ox, oy, oz = (origin[i] - center[:, :, i, None] for i in range(3))
    o, d = [], []
    for i in range(3):
        inverse = 1 / half[:, :, i, None]
        a0, a1, a2 = (rotation[:, :, i, j, None] * inverse for j in range(3))
        o.append(a0 * ox + a1 * oy + a2 * oz)
        d.append(a0 * direction[0] + a1 * direction[1] + a2 * direction[2])
    return o, d


def _safe(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x.abs() < 1e-9, 1e-9, x)


def _slab(o: torch.Tensor, d: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Entry and exit distance of the slab |x| <= 1."""
    inverse = 1 / _safe(d)
    a, b = (-1 - o) * inverse, (1 - o) * inverse
    return torch.minimum(a, b), torch.maximum(a, b)


def _half_space(room: torch.Tensor, rate: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Entry and exit of n.p <= d from room = d - n.o and rate = n.direction."""
    t = room / _safe(rate)
    return torch.where(rate < 0, t, -FAR), torch.where(rate < 0, FAR, t)


def _round(o2: torch.Tensor, od: torch.Tensor, d2: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Entry and exit of |p| <= 1 from |o|^2, o.d and |d|^2 (circle or sphere)."""
    d2 = d2.clamp(min=1e-12)
    disc = od * od - d2 * (o2 - 1)
    root = disc.clamp(min=0).sqrt()
    miss = disc < 0
    return torch.where(miss, FAR, (-od - root) / d2), torch.where(miss, -FAR, (-od + root) / d2)


def _solid(near: torch.Tensor, far: torch.Tensor, see_inside: bool) -> torch.Tensor:
    """Visible distance of a convex solid; from inside, its far wall if see_inside."""
    t = torch.where(near > EPS, near, far if see_inside else FAR)
    return torch.where((far > near) & (t > EPS), t, FAR)


def _wave(x: torch.Tensor) -> torch.Tensor:
    """Triangle wave of period 1 in -1..1; +1 at whole numbers (far cheaper than a sine)."""
    return (x - x.floor() - 0.5).abs() * 4 - 1


def card_is_opaque(form: torch.Tensor, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Cut-out of cards: form [B, P, 12]; u, v [B, P, N] in -1..1 -> bool [B, P, N]."""
    column = [form[:, :, i, None] for i in range(form.shape[-1])]
    h, frequency, phase = column[HARMONICS], column[HOLE_FREQUENCY], column[HOLE_PHASE]
    radius = (u * u + v * v + 1e-12).sqrt()
    c, s = u / radius, v / radius
    c2, s2 = c * c - s * s, 2 * c * s
    c3, s3 = c2 * c - s2 * s, c2 * s + s2 * c
    c5, s5 = c2 * c3 - s2 * s3, c2 * s3 + s2 * c3
    rim = column[RIM] + h[0] * c2 + h[1] * s2 + h[2] * c3 + h[3] * s3 + h[4] * c5 + h[5] * s5
    a, b = frequency[0] * u + phase[0], frequency[1] * v + phase[1]
    holes = _wave(a + 0.27 * _wave(0.6 * b)) * _wave(b + 0.21 * _wave(0.6 * a))
    return (u.abs() < 1) & (v.abs() < 1) & (radius < rim) & (holes < column[HOLE_THRESHOLD])


def _box(o: Triple, d: Triple, see_inside: bool) -> torch.Tensor:
    (n0, f0), (n1, f1), (n2, f2) = (_slab(o[i], d[i]) for i in range(3))
    near, far = torch.maximum(torch.maximum(n0, n1), n2), torch.minimum(torch.minimum(f0, f1), f2)
    return _solid(near, far, see_inside)


def _prism(o: Triple, d: Triple, form: torch.Tensor) -> torch.Tensor:
    """Boxes whose top (y = -1) is drawn in: +-x + side (1 - y) / 2 <= 1, and z likewise front and back."""
    near, far = _slab(o[1], d[1])
    columns = ((0, 1, TAPER_SIDE), (0, -1, TAPER_SIDE), (2, 1, TAPER_FRONT), (2, -1, TAPER_BACK))
    for axis, sign, column in columns:
        slope = form[:, :, column, None] / 2
        n, f = _half_space(1 - slope - sign * o[axis] + slope * o[1], sign * d[axis] - slope * d[1])
        near, far = torch.maximum(near, n), torch.minimum(far, f)
    return _solid(near, far, False)


def _ellipsoid(o: Triple, d: Triple) -> torch.Tensor:
    dot = lambda a, b: a[0] * b[0] + a[1] * b[1] + a[2] * b[2]  # noqa: E731
    return _solid(*_round(dot(o, o), dot(o, d), dot(d, d)), False)


def _cylinder(o: Triple, d: Triple) -> torch.Tensor:
    flat = lambda a, b: a[0] * b[0] + a[2] * b[2]  # noqa: E731
    (n0, f0), (n1, f1) = _round(flat(o, o), flat(o, d), flat(d, d)), _slab(o[1], d[1])
    return _solid(torch.maximum(n0, n1), torch.minimum(f0, f1), False)


def _card(o: Triple, d: Triple, form: torch.Tensor) -> torch.Tensor:
    t = -o[2] / _safe(d[2])
    hit = (t > EPS) & card_is_opaque(form, o[0] + t * d[0], o[1] + t * d[1])
    return torch.where(hit, t, FAR)


def distances(
    counts: Counts, geometry: tuple[torch.Tensor, ...], origin: Triple, direction: Triple, see_inside: bool
) -> list[tuple[int, torch.Tensor]]:
    """(first slot, distance [B, P, N]) per shape that has primitives; FAR where a ray misses.

    geometry: rotation, center, half, form of the scene. Boxes are seen from inside (rooms) if see_inside.
    """
    result, form = [], geometry[3]
    for shape, group in counts.slices().items():
        if group.start == group.stop:
            continue
        o, d = _local_rays(geometry, group, origin, direction)
        if shape == "box":
            t = _box(o, d, see_inside)
        elif shape == "prism":
            t = _prism(o, d, form[:, group])
        elif shape == "card":
            t = _card(o, d, form[:, group])
        else:
            t = _ellipsoid(o, d) if shape == "ellipsoid" else _cylinder(o, d)
        result.append((group.start, t))
    return result


def nearest_hit(
    counts: Counts, geometry: tuple[torch.Tensor, ...], origin: Triple, direction: Triple
) -> tuple[torch.Tensor, torch.Tensor]:
    """Closest primitive per ray: t [B, N] in units of the direction, slot [B, N]; FAR where nothing is hit."""
    best = torch.full_like(direction[0][:, 0], FAR)
    index = torch.zeros_like(best, dtype=torch.long)
    for start, t in distances(counts, geometry, origin, direction, True):
        t_group, i_group = t.min(dim=1)
        index = torch.where(t_group < best, i_group + start, index)
        best = torch.minimum(best, t_group)
    return best, index


def any_hit(
    counts: Counts, geometry: tuple[torch.Tensor, ...], origin: Triple, direction: Triple, limit: float
) -> torch.Tensor:
    """True where something lies on the ray before distance `limit` -> bool [B, N].

    One of origin and direction may be the same for all rays (last axis 1), which saves half of the work.
    """
    shape = torch.broadcast_shapes(origin[0][:, 0].shape, direction[0][:, 0].shape)
    blocked = torch.zeros(shape, dtype=torch.bool, device=direction[0].device)
    for _, t in distances(counts, geometry, origin, direction, False):
        blocked = blocked | (t.amin(dim=1) < limit)
    return blocked
