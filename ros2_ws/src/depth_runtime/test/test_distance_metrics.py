# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from depth_runtime.distance_metrics import DistanceErrors


def test_ard_and_gd_of_a_hand_computed_case():
    errors = DistanceErrors(far_m=20, width_m=8)  # 0..8, 8..16, 16..20
    errors.add(np.array([[2.2, 5.0, 12.0, 99.0]]), np.array([[2.0, 4.0, 10.0, 30.0]]))  # 10 %, 25 %, 20 %, too far
    errors.add(np.array([[8.0, 15.0, np.inf, 1.0]]), np.array([[8.0, 10.0, 16.0, np.nan]]))  # 0 %, 50 %, 20 of 16 m
    curve = errors.curve()
    assert [(row["near_m"], row["far_m"]) for row in curve] == [(0, 8), (8, 16), (16, 20)]
    assert [row["ard"] for row in curve] == pytest.approx([(10 + 25) / 2, (20 + 0 + 50) / 3, 25])
    assert [row["pixels"] for row in curve] == [2, 3, 1]
    assert errors.gd() == pytest.approx((17.5 + 70 / 3 + 25) / 3)


def test_a_pixel_without_a_prediction_lowers_the_density_only():
    errors = DistanceErrors()
    errors.add(np.array([[np.nan, 5.5, np.nan]]), np.array([[5.0, 5.0, 50.0]]))
    near, far = errors.curve()
    assert (near["ard"], near["density"]) == (pytest.approx(10), 50)
    assert np.isnan(far["ard"])
    assert far["density"] == 0
    assert errors.gd() == pytest.approx(10)


def test_a_range_holds_its_near_end_and_not_its_far_one():
    errors = DistanceErrors(far_m=12, width_m=4)
    errors.add(np.array([[3.9, 4.0, 7.9, 8.0]]) * 1.5, np.array([[3.9, 4.0, 7.9, 8.0]]))
    assert [(row["near_m"], row["pixels"]) for row in errors.curve()] == [(0, 1), (4, 2), (8, 1)]


def test_ranges_without_truth_do_not_occur():
    errors = DistanceErrors(far_m=12, width_m=4)
    assert errors.curve() == []
    assert np.isnan(errors.gd())
    errors.add(np.array([[9.9, 3.0]]), np.array([[9.0, 0.0]]))
    assert [row["near_m"] for row in errors.curve()] == [8]
    with pytest.raises(ValueError, match="truth's shape"):
        errors.add(np.ones((1, 2)), np.ones((2, 1)))
    with pytest.raises(ValueError, match="width_m"):
        DistanceErrors(width_m=0)
