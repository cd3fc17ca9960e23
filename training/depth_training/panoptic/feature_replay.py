# SPDX-License-Identifier: Apache-2.0
"""Memory of frozen features: the costly encoder runs once per frame, the head trains on it many times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from depth_models.stereo import StereoPanoptic
from torch import Tensor

from .frame_augment import augment_frame
from .frames import LabelledFrame
from .targets import PanopticTargets, panoptic_targets


class FeatureReplay:
    """Ring of encoded augmented frames, each a pyramid (FP16) with its targets."""

    def __init__(
        self,
        frames: Sequence[LabelledFrame],
        network: StereoPanoptic,
        size: tuple[int, int],
        capacity: int,
        rng: np.random.Generator,
    ) -> None:
        self._frames, self._network, self._size, self._rng = frames, network, size, rng
        self._capacity = capacity
        self._ring: list[tuple[tuple[Tensor, ...], PanopticTargets]] = []
        self._order: list[int] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._ring)

    @torch.no_grad()
    def encode_one(self) -> None:
        """Augment and encode the next frame of a random order; it replaces the oldest when full."""
        if not self._order:
            self._order = self._rng.permutation(len(self._frames)).tolist()
        frame = augment_frame(self._frames[self._order.pop()], *self._size, self._rng)
        image = torch.from_numpy(frame.image).permute(2, 0, 1)[None].float()
        pyramid = tuple(level[0].half() for level in self._network.features.pyramid(image))
        entry = (pyramid, panoptic_targets(frame))
        if len(self._ring) < self._capacity:
            self._ring.append(entry)
        else:
            self._ring[self._next] = entry
            self._next = (self._next + 1) % self._capacity

    def sample(self, count: int) -> list[tuple[tuple[Tensor, ...], PanopticTargets]]:
        """`count` entries, drawn with replacement."""
        return [self._ring[i] for i in self._rng.integers(len(self._ring), size=count)]


def collate(entries: list[tuple[tuple[Tensor, ...], PanopticTargets]]) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Entries as one batch: pyramid levels float32 [B, C, h, w] and targets by name."""
    stacked = [torch.stack([entry[0][level] for entry in entries]).float() for level in range(3)]
    pyramid = [level.contiguous(memory_format=torch.channels_last) for level in stacked]
    targets = {
        name: torch.from_numpy(np.stack([getattr(entry[1], name) for entry in entries]))
        for name in PanopticTargets._fields
    }
    return pyramid, targets
