# SPDX-License-Identifier: Apache-2.0
"""From a recipe to the data of a run: batches to train on, pairs without truth, pairs to be scored on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch

from ..batches.config import DataConfig, PairsConfig
from ..batches.dataset_source import DatasetSource, collate_samples
from ..batches.stereo_batch import Source, StereoBatch
from ..batches.synthetic_source import HELD_OUT, SyntheticSource, make_world
from ..core.distributed import Processes
from ..data import Dataset, make_dataset
from ..synthetic import StereoWorld
from ..transforms.derived import derived
from ..transforms.geometry import crop_sample
from .config import TrainConfig

MAIN, UNLABELLED, MIX = 0, 1, 2  # streams of random numbers that never meet; further sets of a mix follow


class RunData:
    """All sources of a recipe, this process's part of each."""

    def __init__(self, config: TrainConfig, processes: Processes) -> None:
        self._config, self._processes = config, processes

    def source(self) -> Source:
        """Labelled batches: of the main data set or the world, and of the sets that are mixed in."""
        data = self._config.data
        mixed = [
            self._of_dataset(mix, replace(data, batch=mix.batch, shards=1, augmented=mix.augmented), MIX + number)
            for number, mix in enumerate(self._config.mix)
        ]
        main = self._of_dataset(data, data, MAIN) if data.dataset else self._scenes()
        return MixedSource([main, *mixed]) if mixed else main

    def unlabelled(self) -> Source | None:
        """Batches without truth; None where the recipe has none."""
        config, data = self._config.unlabelled, self._config.data
        if not config.dataset:
            return None
        size = {name: getattr(config, name) or getattr(data, name) for name in ("batch", "height", "width")}
        views = replace(data, **size, shards=1, augmented=config.augmented)
        return WithoutTruth(self._of_dataset(config, views, UNLABELLED))

    def held_out(self, size_multiple: int) -> Sequence[StereoBatch]:
        """What every process scores alike: pairs of a data set, or rendered scenes that training never sees."""
        held_out = self._config.held_out
        if held_out.dataset:
            return HeldOutPairs(open_pairs(held_out), held_out.pairs, size_multiple, self._processes.device)
        config = self._config
        scenes = SyntheticSource(self._world, config.world, config.data, config.seed, stream=HELD_OUT)
        return [scenes.next_batch() for _ in range(config.log.held_out_batches)]

    @cached_property
    def _world(self) -> StereoWorld:
        return make_world(self._config.world, self._config.data, self._config.seed, self._processes.device)

    def _scenes(self) -> Source:
        config, place = self._config, (self._processes.rank, self._processes.count)
        return SyntheticSource(self._world, config.world, config.data, config.seed, *place)

    def _of_dataset(self, pairs: PairsConfig, views: DataConfig, stream: int) -> Source:
        place = (self._processes.rank, self._processes.count)
        return DatasetSource(open_pairs(pairs), views, self._config.seed, self._processes.device, *place, stream)


def open_pairs(pairs: PairsConfig) -> Dataset:
    """The data set of a section of a recipe. Raises ValueError, listing what exists, for what there is not."""
    dataset = make_dataset(pairs.dataset, pairs.root, pairs.split or None, **pairs.options)
    return derived(dataset, pairs.shrink, pairs.label_regions, pairs.in_memory, pairs.classes_only)


class MixedSource:
    """Batches of several sources, joined."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    @property
    def position(self) -> int:
        """Number of the next batch, the same in all sources."""
        return self._sources[0].position

    @position.setter
    def position(self, value: int) -> None:
        for source in self._sources:
            source.position = value

    def next_batch(self) -> StereoBatch:
        """This process's part of each source's batch at `position`."""
        return StereoBatch.cat([source.next_batch() for source in self._sources])


class WithoutTruth:
    """Batches of a source with all truth hidden."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def position(self) -> int:
        """Number of the next batch."""
        return self._source.position

    @position.setter
    def position(self, value: int) -> None:
        self._source.position = value

    def next_batch(self) -> StereoBatch:
        """This process's part of the batch at `position`: images only."""
        return self._source.next_batch().without_truth()


class HeldOutPairs(Sequence[StereoBatch]):
    """Pairs of a data set, one a batch, read when asked for; `count` of them, spread evenly, or all (0).

    Each is cut in its middle to multiples of size_multiple.
    """

    def __init__(self, dataset: Dataset, count: int, size_multiple: int, device: torch.device) -> None:
        self._dataset, self._multiple, self._device = dataset, size_multiple, device
        wanted = min(count or len(dataset), len(dataset))
        self._indices = np.linspace(0, len(dataset) - 1, wanted).round().astype(int).tolist()

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> StereoBatch:
        sample = self._dataset[self._indices[index]]
        rows, columns = sample.left.shape[:2]
        height, width = (size - size % self._multiple for size in (rows, columns))
        if not height or not width:
            raise ValueError(
                f"expected pairs of at least {self._multiple} x {self._multiple} px to score, got {columns} x {rows} "
                f"in '{sample.name}'; choose other held-out pairs"
            )
        window = crop_sample(sample, (rows - height) // 2, (columns - width) // 2, height, width)
        return collate_samples([window], self._device)


def data_names(config: TrainConfig) -> str:
    """What a network was trained on, for people."""
    names = [config.data.dataset or "procedural world", *(mix.dataset for mix in config.mix)]
    if config.unlabelled.dataset:
        names.append(f"{config.unlabelled.dataset} without truth")
    return " + ".join(names)
