# SPDX-License-Identifier: Apache-2.0
"""What every source of training data hands out."""

from __future__ import annotations

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
    segmentation: float [B, 3, H, W] 0..255, image of the left view's regions, NaN = unknown, None = unknown for all.
    """

    left: Tensor
    right: Tensor
    disparity_px: Tensor
    occluded: Tensor
    semantic: Tensor
    instance: Tensor
    has_instances: Tensor
    segmentation: Tensor | None = None

    @staticmethod
    def cat(batches: list[StereoBatch]) -> StereoBatch:
        """One batch of several."""
        if any(batch.segmentation is not None for batch in batches):
            batches = [batch.with_segmentation() for batch in batches]
        columns = {name: [getattr(batch, name) for batch in batches] for name in batches[0].known()}
        return StereoBatch(**{name: torch.cat(parts) for name, parts in columns.items()})

    def known(self) -> dict[str, Tensor]:
        """The tensors that there are, by name."""
        values = {f.name: getattr(self, f.name) for f in fields(StereoBatch)}
        return {name: value for name, value in values.items() if value is not None}

    def with_segmentation(self) -> StereoBatch:
        """The batch with a segmentation, unknown where it has none."""
        if self.segmentation is not None:
            return self
        return replace(self, segmentation=torch.full_like(self.left, nan))

    def first(self, count: int) -> StereoBatch:
        """The first `count` pairs, or all where there are fewer."""
        return StereoBatch(**{name: value[:count] for name, value in self.known().items()})

    def without_truth(self) -> StereoBatch:
        """The same pairs, and nothing known about them but their segmentation."""
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

    def ask(self, network: nn.Module) -> dict[str, Any]:
        """Answer of a stereo network. Raises ValueError when it needs a segmentation and there is none."""
        images = [self.left, self.right]
        if getattr(network, "needs_segmentation", False):
            if self.segmentation is None:
                raise ValueError(
                    f"expected a data set with segmentation images for {type(network).__name__}, got none; write them "
                    "to segmentation/NAME.png of plain sequence folders, or choose a network that does without"
                )
            images.append(self.segmentation)
        return network(*(image.contiguous(memory_format=torch.channels_last) for image in images))


class Source(Protocol):
    """An endless source; the same position gives the same batch, so a run resumes exactly."""

    position: int

    def next_batch(self) -> StereoBatch:
        """This process's part of the batch at `position`, which then moves on by one."""
        ...
