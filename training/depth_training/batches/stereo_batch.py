# SPDX-License-Identifier: Apache-2.0
"""What every source of training data hands out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from math import nan
from typing import Any, Protocol

import torch
from depth_runtime.spec import UNLABELLED
from torch import Tensor, nn


@dataclass
class StereoBatch:
    """Rectified pairs with what is known about them.

    left, right: float [B, 3, H, W] RGB 0..255; disparity_px: float [B, 1, H, W] of the left view, NaN = unknown,
    0 = infinitely far; occluded: float [B, 1, H, W], 1 where the right camera does not see it, NaN = unknown;
    semantic: int64 [B, H, W], 255 = unlabelled; instance: int64 [B, H, W], 0 = stuff; has_instances: bool [B];
    regions: float [B, 3, H, W] 0..255, image of the left view's regions, NaN = unknown, None = unknown for all.
    """

    left: Tensor
    right: Tensor
    disparity_px: Tensor
    occluded: Tensor
    semantic: Tensor
    instance: Tensor
    has_instances: Tensor
    regions: Tensor | None = None

    @staticmethod
    def cat(batches: list[StereoBatch]) -> StereoBatch:
        """One batch of several."""
        if any(batch.regions is not None for batch in batches):
            batches = [batch.with_regions() for batch in batches]
        columns = {name: [getattr(batch, name) for batch in batches] for name in batches[0].known()}
        return StereoBatch(**{name: torch.cat(parts) for name, parts in columns.items()})

    def known(self) -> dict[str, Tensor]:
        """The tensors that there are, by name."""
        values = {f.name: getattr(self, f.name) for f in fields(StereoBatch)}
        return {name: value for name, value in values.items() if value is not None}

    def with_regions(self) -> StereoBatch:
        """The batch with regions, unknown where it has none."""
        if self.regions is not None:
            return self
        return replace(self, regions=torch.full_like(self.left, nan))

    def first(self, count: int) -> StereoBatch:
        """The first `count` pairs, or all where there are fewer."""
        return StereoBatch(**{name: value[:count] for name, value in self.known().items()})

    def without_truth(self) -> StereoBatch:
        """The same pairs, and nothing known about them but their regions."""
        return replace(
            self,
            disparity_px=torch.full_like(self.disparity_px, nan),
            occluded=torch.full_like(self.occluded, nan),
            semantic=torch.full_like(self.semantic, UNLABELLED),
            instance=torch.zeros_like(self.instance),
            has_instances=torch.zeros_like(self.has_instances),
        )

    def to(self, device: torch.device) -> StereoBatch:
        """The batch on a device."""
        return StereoBatch(**{name: value.to(device) for name, value in self.known().items()})

    def predict_with(self, network: nn.Module, names: Collection[str] = ()) -> dict[str, Any]:
        """Predictions of a network for the images that it takes.

        names: those that are wanted, empty = any; where the left view alone decides them, no others are computed.
        Raises ValueError when one of the network's inputs is not in the batch.
        """
        if names:
            maps = network.left_view_maps(self.left.contiguous(memory_format=torch.channels_last))
            if maps.keys() >= set(names):
                return maps
        known = self.known()
        if missing := [name for name in network.inputs if name not in known]:
            raise ValueError(
                f"expected a data set with {list(network.inputs)} for {type(network).__name__}, got no "
                f"{' and no '.join(missing)}; write regions to regions/NAME.png of plain sequence folders "
                "(`sam-masks`), or choose a network that does without"
            )
        images = {name: known[name].contiguous(memory_format=torch.channels_last) for name in network.inputs}
        return network(**images)


class BatchSource(Protocol):
    """An endless source; the same position gives the same batch, so a run resumes exactly."""

    position: int

    def next_batch(self) -> StereoBatch:
        """This process's part of the batch at `position`, which then moves on by one."""
        ...
