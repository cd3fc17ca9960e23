# SPDX-License-Identifier: Apache-2.0
"""What every source of training data hands out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

import torch
from torch import Tensor


@dataclass
class StereoBatch:
    """Rectified pairs with what is known about them.

    left, right: float [B, 3, H, W] RGB 0..255; disparity_px: float [B, 1, H, W] of the left view, NaN = unknown,
    0 = infinitely far; occluded: float [B, 1, H, W], 1 where the right camera does not see it, NaN = unknown;
    semantic: int64 [B, H, W], 255 = unlabelled; instance: int64 [B, H, W], 0 = stuff; has_instances: bool [B].
    """

    left: Tensor
    right: Tensor
    disparity_px: Tensor
    occluded: Tensor
    semantic: Tensor
    instance: Tensor
    has_instances: Tensor

    @staticmethod
    def cat(batches: list[StereoBatch]) -> StereoBatch:
        """One batch of several."""
        columns = {f.name: [getattr(batch, f.name) for batch in batches] for f in fields(StereoBatch)}
        return StereoBatch(**{name: torch.cat(parts) for name, parts in columns.items()})

    def to(self, device: torch.device) -> StereoBatch:
        """The batch on a device."""
        return StereoBatch(**{f.name: getattr(self, f.name).to(device) for f in fields(StereoBatch)})


class Source(Protocol):
    """An endless source; the same position gives the same batch, so a run resumes exactly."""

    position: int

    def next_batch(self) -> StereoBatch:
        """This process's part of the batch at `position`, which then moves on by one."""
        ...
