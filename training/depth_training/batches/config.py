# SPDX-License-Identifier: Apache-2.0
"""What batches are made of, as the sections [world], [data] and [[mix]] of a recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class WorldConfig:
    """The procedural world: its textures and the fractions of its kinds of scenes."""

    textures: str = ""  # archive of `textures` or `pack-textures`; empty: computed textures
    computed_textures: int = 96
    suitable: float = 0.4  # fraction of surfaces whose texture fits their class
    drive: float = 0.42
    indoor: float = 0.28
    studio: float = 0.0  # 0 as in recipes from before it; DEFAULT_MIX of the world is what to take
    flying: float = 0.30
    augmented: bool = True


@dataclass(frozen=True)
class PairsConfig:
    """A data set: a name of depth_training.data, read from `root`."""

    dataset: str = ""
    root: str = ""
    split: str = ""
    shrink: int = 1  # samples at 1/shrink of their size, before views are cut
    label_regions: bool = False  # region images painted from true classes and instances
    classes_only: bool = False  # left views with classes, shown to both eyes: of one camera too, no disparity
    in_memory: bool = False  # samples stay in memory once they were read
    options: dict[str, Any] = field(default_factory=dict)  # of the data set's reader


@dataclass(frozen=True)
class DataConfig(PairsConfig):
    """Size of a training batch over all processes, and what it comes from: a data set, else the procedural world.

    A batch of the world is drawn in `shards` equal parts, each from a seed of its own, and the processes divide
    them. So the data of a run does not depend on the number of processes; it must divide `shards`.
    """

    height: int = 288
    width: int = 512
    batch: int = 64
    shards: int = 1
    threads: int = 4  # that read a data set
    augmented: bool = True  # random scale, colour and erased patches of a data set (stereo_augment), else crops only

    def __post_init__(self) -> None:
        if self.shards < 1 or self.batch < 1 or self.batch % self.shards:
            raise ValueError(f"expected data.batch in data.shards equal parts, got {self.batch} in {self.shards}")


@dataclass(frozen=True)
class MixConfig(PairsConfig):
    """A further data set whose pairs join every batch, in views of data.height x data.width."""

    batch: int = 1
    augmented: bool = True

    def __post_init__(self) -> None:
        if not self.dataset or self.batch < 1:
            raise ValueError(
                f"expected mix.dataset and mix.batch >= 1, got '{self.dataset}' and {self.batch}; set them"
            )
