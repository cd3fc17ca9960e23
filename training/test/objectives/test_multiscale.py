# SPDX-License-Identifier: Apache-2.0
"""The supervised objective of DispNet: every scale by hand, unknown truth, occlusion found from disparity."""

import math

import pytest
import torch
from depth_training.batches.stereo_batch import StereoBatch
from depth_training.objectives import make_objective

B, H, W = 2, 16, 32


def batch_with(disparity_px: torch.Tensor, occluded: float = math.nan) -> StereoBatch:
    return StereoBatch(
        left=torch.zeros(B, 3, H, W),
        right=torch.zeros(B, 3, H, W),
        disparity_px=disparity_px,
        occluded=torch.full((B, 1, H, W), occluded),
        semantic=torch.full((B, H, W), 255),
        instance=torch.zeros(B, H, W, dtype=torch.long),
        has_instances=torch.zeros(B, dtype=torch.bool),
    )


def prediction_of(full: float, fine: float, coarse: float, occlusion: float = -20.0) -> dict:
    """Scales at 1/4 and 1/2, coarse first, each of one value."""
    sizes = ((H // 4, W // 4), (H // 2, W // 2))
    scales = [torch.full((B, 1, *size), value) for size, value in zip(sizes, (coarse, fine), strict=True)]
    return {
        "disparity": torch.full((B, 1, H, W), full),
        "disparity_scales": tuple(scales),
        "occlusion_scales": tuple(torch.full((B, 1, *size), occlusion) for size in sizes),
    }


def losses_of(prediction: dict, batch: StereoBatch, **options) -> dict[str, float]:
    losses = make_objective("multiscale", options, 188.0, "loss")(torch.nn.Identity(), prediction, batch)
    return {name: value.item() for name, value in losses.items()}


def test_each_scale_costs_its_error_and_coarser_ones_less():
    truth = torch.full((B, 1, H, W), 8.0)
    losses = losses_of(prediction_of(9.0, 6.0, 13.0), batch_with(truth), disparity=2.0, coarser=0.5)
    assert losses["disparity"] == pytest.approx(2.0 * (1 + 0.5 * 2 + 0.25 * 5))
    smooth = losses_of(prediction_of(8.5, 6.0, 13.0), batch_with(truth), disparity=2.0, coarser=0.5, error="smooth_l1")
    assert smooth["disparity"] == pytest.approx(2.0 * (0.125 + 0.5 * 1.5 + 0.25 * 4.5))


def test_unknown_and_too_large_truth_costs_nothing_even_within_a_cell():
    truth = torch.full((B, 1, H, W), 8.0)
    truth[:, :, ::2] = math.nan
    truth[:, :, 1::4] = 500.0
    assert losses_of(prediction_of(8.0, 8.0, 8.0), batch_with(truth, 0.0))["disparity"] == pytest.approx(0.0, abs=1e-6)
    nothing = losses_of(prediction_of(3.0, 3.0, 3.0), batch_with(torch.full_like(truth, math.nan)))
    assert nothing == {"disparity": 0.0, "occlusion": 0.0}


def test_known_occlusion_is_learnt_at_every_scale():
    truth = torch.full((B, 1, H, W), 8.0)
    wrong = losses_of(prediction_of(8.0, 8.0, 8.0), batch_with(truth, 1.0), occlusion=0.5, coarser=0.5)
    assert wrong["occlusion"] == pytest.approx(0.5 * 1.5 * 20.0)
    right = losses_of(prediction_of(8.0, 8.0, 8.0, 20.0), batch_with(truth, 1.0))
    assert right["occlusion"] < 1e-6


def test_occlusion_comes_from_a_dense_disparity_where_it_is_unknown():
    truth = torch.full((B, 1, H, W), 8.0)  # columns 0..7 lie outside the right view: a quarter of the image
    losses = losses_of(prediction_of(8.0, 8.0, 8.0), batch_with(truth), occlusion=1.0, coarser=0.5)
    assert losses["occlusion"] == pytest.approx(1.5 * 0.25 * 20.0, rel=1e-5)
    assert losses_of(prediction_of(8.0, 8.0, 8.0), batch_with(truth), occlusion_from_disparity=False)["occlusion"] == 0
    truth[:, :, ::4] = math.nan  # three quarters known: too sparse to tell
    assert losses_of(prediction_of(8.0, 8.0, 8.0), batch_with(truth))["occlusion"] == 0


def test_an_unknown_error_lists_the_choices():
    with pytest.raises(ValueError, match=r"'epe'.*got 'l3'"):
        make_objective("multiscale", {"error": "l3"}, 188.0, "loss")
