# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from depth_runtime.confidence_metrics import density_curve


def test_curve_and_areas_of_a_hand_computed_case():
    error_px = np.array([4.0, 0.0, 1.0, 3.0])
    confidence = np.array([0.6, 0.9, 0.2, 0.7])  # from sure to unsure: 0, 3, 4, 1
    curve = density_curve(error_px, confidence, steps=4)
    assert curve.density.tolist() == [0.25, 0.5, 0.75, 1]
    assert curve.cost == pytest.approx([0, 3 / 2, 7 / 3, 2])
    assert curve.best == pytest.approx([0, 1 / 2, 4 / 3, 2])  # 0, 1, 3, 4
    assert curve.auc == pytest.approx((0 + 1.5 + 7 / 3 + 2) / 4)
    assert curve.best_auc == pytest.approx((0 + 0.5 + 4 / 3 + 2) / 4)


def test_equal_confidences_give_the_mean_whatever_their_order():
    error_px = np.array([[5.0, 1.0], [0.0, 2.0]])
    curve = density_curve(error_px, np.full((2, 2), 0.5), steps=8)
    assert curve.cost == pytest.approx([2] * 8)
    assert curve.auc == pytest.approx(2)
    part = density_curve(error_px, np.array([[0.9, 0.5], [0.5, 0.1]]), steps=4)
    assert part.cost == pytest.approx([5, 5.5 / 2, 6 / 3, 8 / 4])


def test_a_confidence_that_ranks_the_errors_reaches_the_best_area():
    rng = np.random.default_rng(0)
    error_px = rng.exponential(size=500)
    assert density_curve(error_px, 1 / (1 + error_px)).auc == pytest.approx(density_curve(error_px, -error_px).best_auc)
    assert density_curve(error_px, error_px).auc > 1.5 * error_px.mean()
    # Known form for a fraction e of wrong pixels: e + (1 - e) ln(1 - e), in the limit of many steps.
    wrong = (np.arange(10000) < 2000).astype(float)
    expected = 0.2 + 0.8 * np.log(0.8)
    assert density_curve(wrong, -wrong, steps=2000).best_auc == pytest.approx(expected, abs=1e-3)


def test_pixels_without_truth_must_be_left_out():
    with pytest.raises(ValueError, match="3 and 2"):
        density_curve(np.zeros(3), np.zeros(2))
    with pytest.raises(ValueError, match="leave pixels without truth out"):
        density_curve(np.zeros(0), np.zeros(0))
