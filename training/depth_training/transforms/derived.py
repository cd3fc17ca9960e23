# SPDX-License-Identifier: Apache-2.0
"""Data sets made from others: smaller, with regions painted from their labels, classes only, or kept in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from ..data import Dataset, Sample
from .geometry import scale_sample
from .regions import region_image, shrunk_regions


def derived(
    dataset: Dataset,
    shrink: int = 1,
    label_regions: bool = False,
    in_memory: bool = False,
    classes_only: bool = False,
) -> Dataset:
    """The data set at 1/shrink of its size, with painted regions, with classes only, read only once: as asked for.

    Raises ValueError for a shrink below 1.
    """
    if shrink < 1:
        raise ValueError(f"expected shrink of 1 or more, got {shrink}; correct it")
    if shrink > 1:
        dataset = Changed(dataset, partial(shrink_sample, factor=shrink))
    if label_regions:
        dataset = Changed(dataset, with_label_regions)
    if classes_only:
        dataset = Changed(dataset, with_classes_only)
    return InMemory(dataset) if in_memory else dataset


class Changed:
    """What a function makes of the samples of a data set."""

    def __init__(self, dataset: Dataset, change: Callable[[Sample], Sample]) -> None:
        self._dataset, self._change = dataset, change

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        return self._change(self._dataset[index])


class InMemory:
    """A data set whose samples stay in memory once they were read."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._samples: dict[int, Sample] = {}

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        if index not in self._samples:
            self._samples[index] = self._dataset[index]
        return self._samples[index]


def shrink_sample(sample: Sample, factor: int) -> Sample:
    """The sample at 1/factor of its height and width, rounded down; disparities shrink with it.

    Raises ValueError for a sample smaller than the factor.
    """
    height, width = (size // factor for size in sample.left.shape[:2])
    if not height or not width:
        raise ValueError(
            f"expected '{sample.name}' to be larger than {factor} pixels to shrink it, got "
            f"{sample.left.shape[1]}x{sample.left.shape[0]}; shrink by less"
        )
    small = scale_sample(sample, height, width)
    if sample.regions is None:
        return small
    return replace(small, regions=shrunk_regions(sample.regions, small.left, factor))


def with_label_regions(sample: Sample) -> Sample:
    """The sample with a region image (regions.py) of its true instances and classes.

    It shows what regions without error could give. Raises ValueError for a sample without both.
    """
    if sample.semantic is None or sample.instance is None:
        raise ValueError(f"expected classes and instances in '{sample.name}' to paint regions, got not both; label it")
    ids = sample.semantic.astype(np.int32) * 65536 + sample.instance
    return replace(sample, regions=region_image(sample.left, [ids == number for number in np.unique(ids)]))


def with_classes_only(sample: Sample) -> Sample:
    """The left view with its classes and instances, shown to both eyes; labelled frames of one camera will do.

    Raises ValueError for a sample without classes.
    """
    if sample.semantic is None:
        raise ValueError(f"expected classes in '{sample.name}', got none; take a data set with labels")
    return Sample(sample.left, right=sample.left, semantic=sample.semantic, instance=sample.instance, name=sample.name)
