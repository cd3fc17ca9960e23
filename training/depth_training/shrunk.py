# SPDX-License-Identifier: Apache-2.0
"""A data set at a fraction of its size."""

from __future__ import annotations

from .data import Dataset, Sample
from .stereo_geometry import scale_sample


class Shrunk:
    """The samples of a data set at 1/factor of their height and width, rounded down; disparities shrink with them.

    Raises ValueError for a factor below 2, and for a sample smaller than the factor.
    """

    def __init__(self, dataset: Dataset, factor: int) -> None:
        if factor < 2:
            raise ValueError(f"expected to shrink by 2 or more, got {factor}; correct it")
        self._dataset, self._factor = dataset, factor

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        sample = self._dataset[index]
        height, width = (size // self._factor for size in sample.left.shape[:2])
        if not height or not width:
            raise ValueError(
                f"expected '{sample.name}' to be larger than {self._factor} pixels to shrink it, got "
                f"{sample.left.shape[1]}x{sample.left.shape[0]}; shrink by less"
            )
        return scale_sample(sample, height, width)


def shrunk(dataset: Dataset, factor: int) -> Dataset:
    """The data set at 1/factor of its size, itself for factor 1. Raises ValueError for a factor below 1."""
    return dataset if factor == 1 else Shrunk(dataset, factor)
