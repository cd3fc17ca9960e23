# SPDX-License-Identifier: Apache-2.0
"""Labelled single frames for panoptic training: what is left of a Sample when only its left view counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data import Dataset


@dataclass(frozen=True)
class LabelledFrame:
    """image uint8 [H, W, 3] RGB; semantic uint8 [H, W] ids, 255 unlabelled; instance uint16 [H, W], 0 = stuff.

    instance is None where the source tells classes but not which thing is which.
    """

    image: np.ndarray
    semantic: np.ndarray
    instance: np.ndarray | None = None


class LabelledFrames:
    """The labelled left views of a data set. Raises ValueError at a sample without labels."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> LabelledFrame:
        sample = self._dataset[index]
        if sample.semantic is None:
            raise ValueError(f"expected labels of '{sample.name}', got none; take a data set with classes")
        return LabelledFrame(sample.left, sample.semantic, sample.instance)
