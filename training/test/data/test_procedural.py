# SPDX-License-Identifier: Apache-2.0
"""The procedural world behind the schema of recorded sets."""

import numpy as np
import pytest
import torch
from depth_training.data import make_dataset

SMALL = {"height": 48, "width": 80, "textures": 8, "augmented": False}


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Threads only wait for each other on tiles this small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def pairs():
    return make_dataset("procedural", "computed", count=3, mix={"flying": 1.0}, **SMALL)


def test_a_pair_depends_on_its_number_alone(pairs):
    second = pairs[1]
    first = pairs[0]
    assert (pairs[1].left == second.left).all()
    assert (first.left != second.left).any()
    assert len(list(pairs)) == 3
    val = make_dataset("procedural", "computed", split="val", count=3, mix={"flying": 1.0}, **SMALL)
    assert (val[1].left != second.left).any()


def test_a_pair_has_all_truth_and_a_camera(pairs):
    sample = pairs[2]
    assert sample.name == "flying/000002"
    assert sample.left.shape == sample.right.shape == (48, 80, 3)
    assert np.isfinite(sample.disparity_px).all()
    assert 0 < sample.occluded.mean() < 0.9
    assert (sample.camera.cx_left, sample.camera.cx_right, sample.camera.cy) == (39.5, 39.5, 23.5)
    seen = ~sample.occluded & (sample.disparity_px > 0)
    x = np.arange(80) - np.rint(sample.disparity_px).astype(int)
    there = np.take_along_axis(sample.right[..., 1], x.clip(0, 79), 1).astype(int)
    assert np.median(np.abs(there - sample.left[..., 1])[seen]) < np.median(
        np.abs(sample.right[..., 1].astype(int) - sample.left[..., 1])[seen]
    )


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"textures or 'computed', got .*none\.npz"):
        make_dataset("procedural", tmp_path / "none.npz")
