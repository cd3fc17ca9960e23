# SPDX-License-Identifier: Apache-2.0
"""Data sets made from others."""

import numpy as np
import pytest
from depth_runtime.camera import StereoCamera
from depth_training.data import Sample
from depth_training.transforms.derived import derived


def wide_pair() -> Sample:
    left = np.arange(7 * 10 * 3, dtype=np.uint8).reshape(7, 10, 3)
    truth = np.full((7, 10), 12, np.float32)
    return Sample(left, right=left, disparity_px=truth, camera=StereoCamera(30.0, 30.0, 4.5, 4.5, 3.0, 0.5))


def test_everything_shrinks_together():
    (sample,) = list(derived([wide_pair()], shrink=2))
    assert sample.left.shape == (3, 5, 3)
    assert np.array_equal(sample.disparity_px, np.full((3, 5), 6, np.float32))
    assert sample.camera.fx == 15.0
    assert sample.depth_of(sample.disparity_px)[0, 0] == pytest.approx(30 * 0.5 / 12)


@pytest.mark.parametrize(("shrink", "message"), [(0, "shrink of 1 or more"), (8, "shrink by less")])
def test_a_factor_that_leaves_nothing_is_refused(shrink, message):
    with pytest.raises(ValueError, match=message):
        derived([wide_pair()], shrink)[0]


def test_regions_are_painted_from_labels_at_the_size_that_is_used():
    left = np.zeros((4, 8, 3), np.uint8)
    left[:, 4:] = (200, 100, 50)
    semantic = np.full((4, 8), 3, np.uint8)
    instance = np.zeros((4, 8), np.uint16)
    instance[:, 4:] = 1
    pair = Sample(left, semantic=semantic, instance=instance, name="street/7")
    (sample,) = list(derived([pair], shrink=2, label_regions=True))
    assert sample.regions[0].tolist() == [[1, 1, 1], [0, 0, 0], [200, 100, 50], [200, 100, 50]]
    with pytest.raises(ValueError, match="instances in 'street/8'"):
        derived([Sample(left, semantic=semantic, name="street/8")], label_regions=True)[0]


def test_stored_regions_keep_their_borders_when_they_shrink():
    left = np.full((8, 16, 3), 90, np.uint8)
    left[:, 7:] = (200, 100, 50)
    regions = left.copy()
    regions[:, 6] = 0  # a border of one pixel in 16, which every fourth pixel may miss
    (sample,) = list(derived([Sample(left, regions=regions)], shrink=4))
    assert sample.left.shape == (2, 4, 3)
    black = (sample.regions == 0).all(-1)
    assert black.tolist() == [[False, True, False, False]] * 2
    assert sample.regions[0, 0].tolist() == sample.left[0, :2].mean(0).round().tolist()
    assert sample.regions[0, 2].tolist() == sample.regions[0, 3].tolist() == [200, 100, 50]


def test_samples_kept_in_memory_are_read_once():
    class Counting:
        reads = 0

        def __len__(self):
            return 3

        def __getitem__(self, index):
            self.reads += 1
            return wide_pair()

    source = Counting()
    kept = derived(source, shrink=2, in_memory=True)
    assert len(kept) == 3
    assert kept[1] is kept[1]
    assert source.reads == 1


def test_frames_with_classes_only_teach_classes_and_no_disparity():
    left, right = np.full((2, 4, 8, 3), ((((50,),),), (((90,),),)), np.uint8)
    semantic, instance = np.full((4, 8), 3, np.uint8), np.ones((4, 8), np.uint16)
    truth = np.full((4, 8), 12, np.float32)
    pair = Sample(left, right=right, disparity_px=truth, semantic=semantic, instance=instance, name="street/7")
    single = Sample(left, semantic=semantic, name="street/8")
    of_pair, of_single = list(derived([pair, single], classes_only=True))
    for sample in (of_pair, of_single):
        assert (sample.right == 50).all()
        assert sample.disparity_px is None
        assert (sample.semantic == 3).all()
    assert (of_pair.instance == 1).all()
    assert of_single.instance is None
    with pytest.raises(ValueError, match="classes in 'street/9'"):
        derived([Sample(left, name="street/9")], classes_only=True)[0]
