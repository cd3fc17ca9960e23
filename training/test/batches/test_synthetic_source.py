# SPDX-License-Identifier: Apache-2.0
"""Batches of the procedural world follow from seed and position alone."""

import pytest
import torch
from depth_training.batches.config import DataConfig, WorldConfig
from depth_training.batches.synthetic_source import VALIDATION, SyntheticSource, make_world

WORLD = WorldConfig(computed_textures=3, drive=0.0, indoor=1.0, flying=0.0)
DATA = DataConfig(height=16, width=32, batch=2, shards=2)


@pytest.fixture(scope="module")
def world():
    return make_world(WORLD, DATA, 5, torch.device("cpu"))


def source(world, *place: int, **stream: int) -> SyntheticSource:
    return SyntheticSource(world, WORLD, DATA, 5, *place, **stream)


def test_a_batch_depends_on_its_position_and_not_on_those_before(world):
    one, other = source(world), source(world)
    first, second = one.next_batch(), one.next_batch()
    assert not torch.equal(first.left, second.left)
    other.position = 1
    again = other.next_batch()
    assert torch.equal(again.left, second.left)
    assert torch.equal(again.disparity_px, second.disparity_px)
    assert other.position == 2


def test_processes_share_the_shards_out(world):
    whole = source(world).next_batch()
    parts = [source(world, rank, 2).next_batch() for rank in (0, 1)]
    assert torch.equal(torch.cat([part.left for part in parts]), whole.left)
    assert torch.equal(torch.cat([part.instance for part in parts]), whole.instance)
    with pytest.raises(ValueError, match=r"data.shards a multiple of the 3 processes, got 2"):
        source(world, 0, 3)


def test_held_out_scenes_are_others(world):
    assert not torch.equal(source(world, stream=VALIDATION).next_batch().left, source(world).next_batch().left)
