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
    regions: float [B, 3, H, W] 0..255, image of the left view's regions; depth_m: float [B, 1, H, W] of the left view,
    infinity = infinitely far; focal_px: float [B] of its camera at this size. Of these three NaN = unknown, None =
    unknown for all.
    """

    left: Tensor
    right: Tensor
    disparity_px: Tensor
    occluded: Tensor
    semantic: Tensor
    instance: Tensor
    has_instances: Tensor
    regions: Tensor | None = None
    depth_m: Tensor | None = None
    focal_px: Tensor | None = None

    @staticmethod
    def cat(batches: list[StereoBatch]) -> StereoBatch:
        """One batch of several."""
        names = {name: None for batch in batches for name in batch.known()}
        columns = {name: [batch.or_unknown(name) for batch in batches] for name in names}
        return StereoBatch(**{name: torch.cat(parts) for name, parts in columns.items()})

    def known(self) -> dict[str, Tensor]:
        """The tensors that there are, by name."""
        values = {f.name: getattr(self, f.name) for f in fields(StereoBatch)}
        return {name: value for name, value in values.items() if value is not None}

    def with_regions(self) -> StereoBatch:
        """The batch with regions, unknown where it has none."""
        return replace(self, regions=self.or_unknown("regions"))

    def or_unknown(self, name: str) -> Tensor:
        """The tensor of this name, NaN where the batch has none."""
        if (value := getattr(self, name)) is not None:
            return value
        shapes = {"regions": self.left, "depth_m": self.disparity_px, "focal_px": self.left[:, 0, 0, 0]}
        return torch.full_like(shapes[name], nan)

    def canonical_depth_m(self, focal_px: float) -> Tensor:
        """True depth of the scenes in which a camera of this focal length would see the left views, [B, 1, H, W] m.

        Z f_c / f of each view's own depth Z and focal length f: things look as large as they are larger and farther
        away. NaN = depth or camera unknown.
        """
        ratio = focal_px / self.or_unknown("focal_px")
        return self.or_unknown("depth_m") * ratio[:, None, None, None]

    def first(self, count: int) -> StereoBatch:
        """The first `count` pairs, or all where there are fewer."""
        return StereoBatch(**{name: value[:count] for name, value in self.known().items()})

    def without_truth(self) -> StereoBatch:
        """The same pairs, and nothing known about them but their regions and focal length."""
        return replace(
            self,
            disparity_px=torch.full_like(self.disparity_px, nan),
            depth_m=None,
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
        known = self.known() | {"image": self.left}
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
