# SPDX-License-Identifier: Apache-2.0
"""Targets of the panoptic head for whole batches on the device (Panoptic-DeepLab: centre heat map and offsets)."""

from __future__ import annotations

import torch
from depth_models import LABELS
from depth_runtime.spec import UNLABELLED
from torch import Tensor

THING_IDS = tuple(label.id for label in LABELS if label.thing)
STRIDE = 4
SMALLEST_CELLS = 6  # a thing of fewer has no centre
_IDS = 1 << 16  # instance ids are 16 bit


def panoptic_batch_targets(semantic: Tensor, instance: Tensor, has_instances: Tensor) -> dict[str, Tensor]:
    """Targets by name from label maps int64 [B, H, W] and bool [B]; H, W multiples of 4.

    semantic int64 [B, H/2, W/2]; the rest at 1/4: heat float32 [B, 1, h, w] 0..1, heat_known bool [B, 1, h, w], offset
    float32 [B, 2, h, w] = (dx, dy) to the centre in cells, offset_known bool [B, 1, h, w]. In a frame without instances
    stuff still says where no centre can be.
    """
    coarse = semantic[:, 1::STRIDE, 1::STRIDE]
    thing = torch.isin(coarse, torch.tensor(THING_IDS, device=coarse.device))
    ids = instance[:, 1::STRIDE, 1::STRIDE] * thing * has_instances[:, None, None]
    index, centre, area, counts = _things(ids)
    heat = _heat(centre, area, counts, coarse.shape)
    of_cell = lambda table: table.gather(1, index.flatten(1)).view_as(index)  # noqa: E731
    y, x = _grid(coarse)
    known = of_cell(counts)
    offset = torch.stack((of_cell(centre[0]) - x, of_cell(centre[1]) - y), 1) * known[:, None]
    return {
        "semantic": semantic[:, ::2, ::2],
        "heat": heat[:, None],
        "heat_known": ((coarse != UNLABELLED) & (~thing | has_instances[:, None, None]))[:, None],
        "offset": offset,
        "offset_known": known[:, None],
    }


def _grid(cells: Tensor) -> tuple[Tensor, Tensor]:
    h, w = cells.shape[-2:]
    return torch.meshgrid(*(torch.arange(n, device=cells.device, dtype=torch.float32) for n in (h, w)), indexing="ij")


def _things(ids: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor, Tensor]:
    """Numbered instances of each frame, N at most.

    ids [B, h, w] -> number of each cell [B, h, w]; centre x and y, area, counts (bool: has a centre), [B, N] each.
    """
    batch = ids.shape[0]
    frame = torch.arange(batch, device=ids.device)
    keys, inverse = torch.unique(ids + frame[:, None, None] * _IDS, return_inverse=True)
    first = torch.searchsorted(keys, frame * _IDS)  # where the instances of a frame start
    slot = torch.arange(len(keys), device=ids.device) - first[keys // _IDS]
    index, most = slot[inverse], int(slot.max()) + 1
    y, x = _grid(ids)
    sums = torch.zeros(3, batch, most, device=ids.device)
    for row, value in zip(sums, (x, y, torch.ones_like(x)), strict=True):
        row.scatter_add_(1, index.flatten(1), value.expand(ids.shape).flatten(1))
    area = sums[2]
    is_thing = torch.zeros(batch, most, dtype=torch.bool, device=ids.device)
    is_thing[keys // _IDS, slot] = keys % _IDS > 0
    centre = sums[0] / area.clamp(min=1), sums[1] / area.clamp(min=1)
    return index, centre, area, is_thing & (area >= SMALLEST_CELLS)


def _heat(centre: tuple[Tensor, Tensor], area: Tensor, counts: Tensor, shape: torch.Size) -> Tensor:
    """Largest of the instances' Gaussians, [B, h, w]; instance by instance, since all at once need much memory."""
    heat = torch.zeros(shape, device=area.device)
    y, x = _grid(heat)
    sigma = (0.08 * area.sqrt()).clamp(1, 4)
    for number in range(area.shape[1]):
        column = lambda table, n=number: table[:, n, None, None]  # noqa: E731
        square = (x - column(centre[0])) ** 2 + (y - column(centre[1])) ** 2
        heat = torch.maximum(heat, torch.exp(-square / (2 * column(sigma) ** 2)) * column(counts))
    return heat
