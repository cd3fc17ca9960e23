# SPDX-License-Identifier: Apache-2.0
"""Data sets at a fraction of their size, in recipes and in scores."""

import numpy as np
import pytest
from depth_training.data import Sample
from depth_training.shrunk import shrunk


def wide_pair() -> Sample:
    left = np.arange(7 * 10 * 3, dtype=np.uint8).reshape(7, 10, 3)
    truth = np.full((7, 10), 12, np.float32)
    return Sample(left, right=left, disparity_px=truth, intrinsics=(30.0, 30.0, 4.5, 3.0), baseline_m=0.5)


def test_everything_shrinks_together():
    (sample,) = list(shrunk([wide_pair()], 2))
    assert sample.left.shape == (3, 5, 3)
    assert np.array_equal(sample.disparity_px, np.full((3, 5), 6, np.float32))
    assert sample.intrinsics[0] == 15.0
    assert sample.depth_of(sample.disparity_px)[0, 0] == pytest.approx(30 * 0.5 / 12)


def test_factor_one_changes_nothing():
    pairs = [wide_pair()]
    assert shrunk(pairs, 1) is pairs


@pytest.mark.parametrize(("factor", "message"), [(0, "by 2 or more"), (8, "shrink by less")])
def test_a_factor_that_leaves_nothing_is_refused(factor, message):
    with pytest.raises(ValueError, match=message):
        shrunk([wide_pair()], factor)[0]
