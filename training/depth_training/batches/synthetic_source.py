# SPDX-License-Identifier: Apache-2.0
"""Batches of the procedural world, rendered on the device while training."""

from __future__ import annotations

import numpy as np
import torch

from ..synthetic import SCENE_KINDS, StereoSample, StereoWorld, TextureBank
from .config import DataConfig, WorldConfig
from .stereo_batch import StereoBatch

TRAIN, VALIDATION = 0, 1  # streams of random numbers that never meet


def make_world(config: WorldConfig, data: DataConfig, seed: int, device: torch.device) -> StereoWorld:
    """The world of a recipe, with its textures on `device`. Raises OSError when the archive of textures is missing."""
    if config.textures:
        bank = TextureBank.load(config.textures, device)
    else:
        bank = TextureBank.procedural(config.computed_textures, seed, device)
    return StereoWorld(bank, data.height, data.width, seed, config.suitable)


class SyntheticSource:
    """Shards of random scenes; shard number `rank`, `rank` + `count`, ... of each batch are this process's.

    Each shard starts the world's random numbers from (seed, stream, position, shard). So a batch depends neither on
    those before it nor on the number of processes.
    """

    def __init__(
        self,
        world: StereoWorld,
        config: WorldConfig,
        data: DataConfig,
        seed: int,
        rank: int = 0,
        count: int = 1,
        stream: int = TRAIN,
    ) -> None:
        if data.shards % count:
            raise ValueError(f"expected data.shards a multiple of the {count} processes, got {data.shards}; set it")
        self.position = 0
        self._world, self._augmented = world, config.augmented
        self._mix = {name: getattr(config, name) for name in SCENE_KINDS}
        self._size = data.batch // data.shards
        self._seed, self._stream, self._shards = seed, stream, range(rank, data.shards, count)

    def next_batch(self) -> StereoBatch:
        """This process's shards of the batch at `position`."""
        shards = [self._shard(number) for number in self._shards]
        self.position += 1
        return StereoBatch.cat(shards)

    def _shard(self, number: int) -> StereoBatch:
        key = np.random.SeedSequence((self._seed, self._stream, self.position, number))
        # torch takes seeds of 64 bit with a sign.
        self._world.reseed(int(key.generate_state(1, np.uint64)[0] >> np.uint64(1)))
        return batch_of_sample(self._world.batch(self._size, self._mix, self._augmented))


def batch_of_sample(sample: StereoSample) -> StereoBatch:
    """A rendered batch: everything is known, unless the scenes carry no meaning; sky is infinitely far."""
    focal_baseline = sample.focal_px * sample.baseline_m
    return StereoBatch(
        left=sample.left,
        right=sample.right,
        disparity_px=sample.disparity,
        occluded=sample.occluded.float(),
        semantic=sample.semantic,
        instance=sample.instance,
        has_instances=torch.ones(len(sample.left), dtype=torch.bool, device=sample.left.device),
        depth_m=focal_baseline[:, None, None, None] / sample.disparity,
        focal_px=sample.focal_px,
    )
