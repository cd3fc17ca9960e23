# SPDX-License-Identifier: Apache-2.0
"""Batches of several data sets, and of the world with data sets."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from depth_training.batches.config import DataConfig, MixConfig
from depth_training.engine.run_data import RunData, data_names
from tiny_recipes import ALONE, make_trainer, recipe, write_folders


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_folders(tmp_path_factory.mktemp("pairs"))


def test_mixed_sets_join_every_batch(folders):
    config = recipe(folders, mix=(MixConfig(dataset="plain", root=folders["bright"], augmented=False),))
    source = RunData(config, ALONE).source()
    batches = [source.next_batch() for _ in range(3)]
    for batch in batches:
        assert [value >= 200 for value in batch.left[:, 0, 0, 0].tolist()] == [False, False, True]
        assert batch.left.shape == (3, 3, 16, 24)
    assert {batch.left[2, 0, 0, 0].item() for batch in batches} == {200, 201, 202}
    again = RunData(config, ALONE).source()
    again.position = 2
    assert torch.equal(again.next_batch().left, batches[2].left)
    assert again.position == 3
    assert data_names(config) == "plain + plain"


def test_labelled_frames_of_one_camera_join_every_batch_for_their_classes(folders, tmp_path):
    for name in ("000", "001"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((24, 40, 3), 150, np.uint8))
        cv2.imwrite(str(tmp_path / f"{name}_semantic.png"), np.full((24, 40), 3, np.uint8))
    frames = MixConfig(dataset="camvid", root=str(tmp_path), split=".", classes_only=True)
    batch = RunData(recipe(folders, mix=(frames,)), ALONE).source().next_batch()
    assert torch.equal(batch.semantic.unique(), torch.tensor([0, 2]))  # 3 is CamVid's road, our 0
    assert (batch.semantic[2] == 0).all()
    assert batch.disparity_px[2].isnan().all()
    assert batch.right.shape == (3, 3, 16, 24)
    without = replace(frames, classes_only=False)
    with pytest.raises(ValueError, match="expected a stereo pair"):
        RunData(recipe(folders, mix=(without,)), ALONE).source().next_batch()


def test_a_run_on_mixed_sets_resumes(folders, tmp_path):
    config = recipe(folders, mix=(MixConfig(dataset="plain", root=folders["bright"]),))
    straight, first, second = (make_trainer(config) for _ in range(3))
    losses = [straight.train_step()["loss"].item() for _ in range(4)]
    for _ in range(2):
        first.train_step()
    first.save(tmp_path / "last.pt")
    second.resume(tmp_path / "last.pt")
    assert [second.train_step()["loss"].item() for _ in range(2)] == losses[2:]
    other = recipe(folders, mix=(MixConfig(dataset="plain", root=folders["grey"]),))
    with pytest.raises(ValueError, match=r"other values of \['mix'\]"):
        make_trainer(other).resume(tmp_path / "last.pt")


def test_the_world_takes_real_pairs_into_its_batches(folders):
    data = DataConfig(height=16, width=24, batch=2, threads=1)
    mix = (MixConfig(dataset="plain", root=folders["bright"], batch=1, augmented=False),)
    config = recipe(folders, data=data, mix=mix)
    config = replace(config, world=replace(config.world, computed_textures=3, drive=0.0, indoor=1.0, flying=0.0))
    batch = RunData(config, ALONE).source().next_batch()
    assert batch.left.shape == (3, 3, 16, 24)
    assert batch.occluded[:2].isfinite().all()
    assert batch.occluded[2].isnan().all()
    assert (batch.disparity_px[2] == 5).all()
