# SPDX-License-Identifier: Apache-2.0
"""From a recipe to the data of a run: batches to train on, pairs without truth, pairs to be scored on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch

from ..batches.config import DataConfig, PairsConfig
from ..batches.dataset_source import DatasetSource, collate_samples, random_view
from ..batches.mixed_source import MixedSource, WithoutTruth
from ..batches.stereo_batch import BatchSource, StereoBatch
from ..batches.synthetic_source import VALIDATION, SyntheticSource, make_world
from ..core.distributed import Processes
from ..data import Dataset, make_dataset
from ..synthetic import StereoWorld
from ..transforms.derived import derived
from ..transforms.geometry import crop_sample
from .config import TrainConfig
from .usable_truth import sample_with_truth

MAIN, UNLABELLED, MIX = 0, 1, 2  # streams of random numbers that never meet; further sets of a mix follow


class RunData:
    """All sources of a recipe, this process's part of each. Raises ValueError for a data set that is not there."""

    def __init__(self, config: TrainConfig, processes: Processes) -> None:
        self._config, self._processes = config, processes
        self._mixed = {f"[[mix]] number {number}": mix for number, mix in enumerate(config.mix, start=1)}
        validation = replace(config.validation, root=config.validation.root or config.data.root)
        sections = {"[data]": config.data, **self._mixed}
        sections |= {"[unlabelled]": config.unlabelled, "[validation]": validation}
        self._datasets = {name: open_pairs(pairs) for name, pairs in sections.items() if pairs.dataset}

    def check(self) -> None:
        """Read a sample of every data set and cut a view of it, before anything costly is made.

        Raises ValueError, naming the section, for views that cannot be cut and for samples without truth that the
        objective learns from.
        """
        if self._datasets:
            self._processes.tell("reading a sample of %s", ", ".join(self._datasets))
        objective, rng = self._config.loss.make(), np.random.default_rng(0)
        for section, dataset in self._datasets.items():
            unlabelled = section == "[unlabelled]"
            sample = dataset[0] if unlabelled else sample_with_truth(section, dataset, objective)
            if section != "[validation]":
                random_view(sample, self._views(section), rng)

    def source(self) -> BatchSource:
        """Labelled batches: of the main data set or the world, and of the sets that are mixed in."""
        mixed = [self._of_dataset(section, MIX + number) for number, section in enumerate(self._mixed)]
        main = self._of_dataset("[data]", MAIN) if self._config.data.dataset else self._scenes()
        return MixedSource([main, *mixed]) if mixed else main

    def unlabelled(self) -> BatchSource | None:
        """Batches without truth; None where the recipe has none."""
        return WithoutTruth(self._of_dataset("[unlabelled]", UNLABELLED)) if self._config.unlabelled.dataset else None

    def validation(self, size_multiple: int) -> Sequence[StereoBatch]:
        """What every process scores alike: held-out pairs of a data set, or scenes that training never sees."""
        config = self._config
        if config.validation.dataset:
            dataset, device = self._datasets["[validation]"], self._processes.device
            return ValidationPairs(dataset, config.validation.pairs, size_multiple, device)
        count = config.log.validation_batches
        if not count:
            return []
        scenes = SyntheticSource(self._world, config.world, config.data, config.seed, stream=VALIDATION)
        self._processes.tell("rendering validation scenes: %d batches of %d", count, config.data.batch)
        return [scenes.next_batch() for _ in range(count)]

    @cached_property
    def _world(self) -> StereoWorld:
        world = self._config.world
        self._processes.tell("textures: %s", world.textures or f"computing {world.computed_textures}")
        return make_world(world, self._config.data, self._config.seed, self._processes.device)

    def _scenes(self) -> BatchSource:
        config, place = self._config, (self._processes.rank, self._processes.count)
        return SyntheticSource(self._world, config.world, config.data, config.seed, *place)

    def _views(self, section: str) -> DataConfig:
        """How views of a data set are cut, and how many join a batch."""
        data = self._config.data
        if section in self._mixed:
            mix = self._mixed[section]
            return replace(data, batch=mix.batch, shards=1, augmented=mix.augmented)
        if section == "[unlabelled]":
            own = self._config.unlabelled
            size = {name: getattr(own, name) or getattr(data, name) for name in ("batch", "height", "width")}
            return replace(data, **size, shards=1, augmented=own.augmented)
        return data

    def _of_dataset(self, section: str, stream: int) -> BatchSource:
        place = (self._processes.rank, self._processes.count)
        dataset, views = self._datasets[section], self._views(section)
        return DatasetSource(dataset, views, self._config.seed, self._processes.device, *place, stream)


def open_pairs(pairs: PairsConfig) -> Dataset:
    """The data set of a section of a recipe. Raises ValueError, listing what exists, for what there is not."""
    dataset = make_dataset(pairs.dataset, pairs.root, pairs.split or None, **pairs.options)
    return derived(dataset, pairs.shrink, pairs.label_regions, pairs.in_memory, pairs.classes_only)


class ValidationPairs(Sequence[StereoBatch]):
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
                f"in '{sample.name}'; choose other validation pairs"
            )
        window = crop_sample(sample, (rows - height) // 2, (columns - width) // 2, height, width)
        return collate_samples([window], self._device)


def data_names(config: TrainConfig) -> str:
    """What a network was trained on, for people."""
    names = [config.data.dataset or "procedural world", *(mix.dataset for mix in config.mix)]
    if config.unlabelled.dataset:
        names.append(f"{config.unlabelled.dataset} without truth")
    return " + ".join(names)
