# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from depth_runtime.metrics import class_iou, confusion, depth_errors, disparity_errors, garg_crop, mean_iou


def test_disparity_errors_of_a_hand_computed_case():
    truth = np.array([[10.0, 100.0, 50.0, 0.0], [np.nan, 20.0, 30.0, 40.0]])
    predicted = np.array([[11.5, 104.0, 46.0, 9.0], [9.0, np.nan, 30.0, 42.5]])
    errors = disparity_errors(predicted, truth)  # |e| = 1.5, 4 (4 %), 4 (8 %), -, -, no prediction, 0, 2.5
    assert errors["pixels"] == 5
    assert errors["epe"] == pytest.approx((1.5 + 4 + 4 + 0 + 2.5) / 5)
    assert errors["d1"] == pytest.approx(20)  # 4 px of 100 are within 5 %
    assert errors["bad1"] == pytest.approx(80)
    assert errors["bad2"] == pytest.approx(60)
    assert errors["bad3"] == pytest.approx(40)
    assert errors["density"] == pytest.approx(100 * 5 / 6)


def test_an_error_on_a_bound_is_within_it():
    truth = np.array([[16.0, 16.0, 16.0, 60.0, 80.0, np.inf]])
    predicted = np.array([[17.0, 14.0, 19.0, 63.125, 84.0, 1.0]])  # 1, 2, 3; 3.125 of 3.0 allowed; 4 of 4 allowed
    errors = disparity_errors(predicted, truth)
    assert errors["pixels"] == 5
    assert errors["epe"] == (1 + 2 + 3 + 3.125 + 4) / 5
    assert [errors[name] for name in ("d1", "bad1", "bad2", "bad3")] == [20, 80, 60, 40]


def test_kept_pixels_lower_the_density_only():
    truth = np.full((2, 4), 10.0)
    predicted = truth + np.array([[0, 0, 0, 8.0], [0, 0, 0, 8.0]])
    keep = np.ones((2, 4), bool)
    keep[:, 3] = False
    errors = disparity_errors(predicted, truth, keep)
    assert (errors["epe"], errors["d1"], errors["density"]) == (0, 0, 75)


def test_nothing_to_score_is_nan_not_zero():
    errors = disparity_errors(np.ones((2, 3)), np.zeros((2, 3)))
    assert np.isnan(errors["epe"])
    assert np.isnan(errors["d1"])
    assert errors["pixels"] == 0


def test_sizes_must_agree():
    with pytest.raises(ValueError, match="expected disparity of the truth's shape"):
        disparity_errors(np.ones((2, 3)), np.ones((3, 2)))


def test_mean_iou_of_a_hand_computed_case():
    truth = np.array([[0, 0, 0, 1], [1, 1, 255, 2]], np.uint8)
    predicted = np.array([[0, 0, 1, 1], [1, 255, 0, 2]], np.uint8)
    matrix = confusion(predicted, truth, 4)
    assert matrix.sum() == 7
    assert matrix[1].tolist() == [0, 2, 0, 0, 1]
    # class 0: 2 / 3; class 1: 2 / 4; class 2: 1; class 3 never occurs
    assert class_iou(matrix)[:3] == pytest.approx([200 / 3, 50, 100])
    assert np.isnan(class_iou(matrix)[3])
    assert mean_iou(matrix) == pytest.approx(100 * (2 / 3 + 2 / 4 + 1) / 3)


def test_a_class_without_truth_costs_its_true_class_only():
    matrix = np.array([[6, 0, 2, 0], [1, 3, 0, 0], [0, 0, 0, 0]])
    assert mean_iou(matrix) == pytest.approx(100 * (6 / 9 + 3 / 4) / 2)
    assert np.isnan(mean_iou(np.zeros((3, 4), int)))


def test_depth_errors_of_a_hand_computed_case():
    truth = np.array([[2.0, 4.0, 10.0, np.inf], [0.0, 5.0, 8.0, 8.0]])
    predicted = np.array([[2.2, 5.0, 10.0, 3.0], [1.0, np.nan, np.inf, 7.0]])
    errors = depth_errors(predicted, truth)  # 10 %, 25 % (ratio 1.25 is outside), 0, -, -, none, none, 12.5 %
    assert errors["pixels"] == 4
    assert errors["abs_rel"] == pytest.approx((10 + 25 + 0 + 12.5) / 4)
    assert errors["sq_rel"] == pytest.approx((0.2**2 / 2 + 1 / 4 + 0 + 1 / 8) / 4)
    assert errors["rmse"] == pytest.approx(((0.04 + 1 + 0 + 1) / 4) ** 0.5)
    logs = np.log([1.1, 1.25, 1, 8 / 7])
    assert errors["rmse_log"] == pytest.approx(((logs**2).sum() / 4) ** 0.5)
    assert errors["delta1"] == pytest.approx(75)
    assert errors["delta2"] == pytest.approx(100)
    assert errors["density"] == pytest.approx(100 * 4 / 6)
    with pytest.raises(ValueError, match="expected depth of the truth's shape"):
        depth_errors(predicted, truth.T)


def test_the_deltas_bound_the_ratio_either_way():
    truth = np.array([[10.0, 10, 10, 10]])
    predicted = np.array([[12.4, 10 / 1.5, 10 * 1.9, 10 / 2]])  # ratios 1.24, 1.5, 1.9, 2; 1.25^2 = 1.5625, ^3 = 1.953
    errors = depth_errors(predicted, truth)
    assert [errors[f"delta{i}"] for i in (1, 2, 3)] == [25, 50, 75]


def test_the_crop_of_the_eigen_split():
    rows, columns = garg_crop(370, 1224)
    assert (rows.start, rows.stop) == (151, 366)  # 366.99999 and 43.99999 are cut, as everybody does
    assert (columns.start, columns.stop) == (43, 1180)


def test_median_scaling_forgives_a_common_factor_only():
    truth = np.array([[2.0, 4.0, 8.0, np.nan]])
    predicted = np.array([[1.0, 2.0, 6.0, 1.0]])
    errors = depth_errors(predicted, truth, median_scaled=True)  # factor 2: 2, 4, 12
    assert errors["abs_rel"] == pytest.approx(100 * 0.5 / 3)
    assert errors["rmse"] == pytest.approx((16 / 3) ** 0.5)
    assert depth_errors(predicted, truth)["abs_rel"] == pytest.approx(100 * (0.5 + 0.5 + 0.25) / 3)
    # The medians of both maps count, not the median of their ratios (which is 1 here).
    uneven = depth_errors(np.array([[1.0, 2.0, 9.0]]), np.array([[1.0, 6.0, 9.0]]), median_scaled=True)
    assert uneven["abs_rel"] == pytest.approx(100 * (2 + 0 + 2) / 3)
    assert np.isnan(depth_errors(predicted * np.nan, truth, median_scaled=True)["rmse"])


def test_a_largest_depth_bounds_truth_and_prediction():
    truth = np.array([[10.0, 40.0, 90.0, 50.0, 20.0]])
    predicted = np.array([[10.0, np.inf, 88.0, 1e9, np.nan]])
    errors = depth_errors(predicted, truth, max_depth_m=80)  # 0, 80 of 40, too far, 80 of 50, no prediction
    assert errors["pixels"] == 3
    assert errors["abs_rel"] == pytest.approx(100 * (0 + 1 + 0.6) / 3)
    assert errors["density"] == pytest.approx(75)
    scaled = depth_errors(np.array([[1.0, 2.0, 30.0]]), np.array([[10.0, 20.0, 60.0]]), True, 80)  # 10, 20, 300 -> 80
    assert scaled["rmse"] == pytest.approx((20**2 / 3) ** 0.5)
