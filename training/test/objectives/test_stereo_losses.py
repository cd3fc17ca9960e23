# SPDX-License-Identifier: Apache-2.0
"""The supervised loss: right predictions and unknown truth cost nothing, wrong predictions what they should."""

import math

import pytest
import torch
from depth_training.batches.stereo_batch import StereoBatch
from depth_training.objectives import MissingPredictionError, make_objective
from depth_training.objectives.panoptic_stereo import level_cross_entropy

B, H, W, LEVELS = 2, 32, 64, 12


def stereo_losses(
    prediction: dict[str, torch.Tensor], batch: StereoBatch, max_disparity_px: float = 188.0, **options: object
) -> dict[str, torch.Tensor]:
    return make_objective("panoptic_stereo", options, max_disparity_px, "loss.options")(
        torch.nn.Identity(), prediction, batch
    )


def batch_with(disparity_px: torch.Tensor) -> StereoBatch:
    """Nothing known but disparity."""
    return StereoBatch(
        left=torch.zeros(B, 3, H, W),
        right=torch.zeros(B, 3, H, W),
        disparity_px=disparity_px,
        occluded=torch.full((B, 1, H, W), math.nan),
        semantic=torch.full((B, H, W), 255),
        instance=torch.zeros(B, H, W, dtype=torch.long),
        has_instances=torch.zeros(B, dtype=torch.bool),
    )


def prediction_of(disparity_px: torch.Tensor) -> dict[str, torch.Tensor]:
    """Outputs of a network that is exactly right about a disparity map, and very sure of it."""
    quarter = disparity_px[:, 0, 1::4, 1::4].nan_to_num() / 4
    levels = torch.arange(LEVELS).view(1, -1, 1, 1)
    return {
        "disparity": disparity_px.nan_to_num().clone().requires_grad_(),
        "disparity2": disparity_px.nan_to_num()[:, :, ::2, ::2] / 2,
        "level_logits": -50 * (levels - quarter.round()[:, None]).abs(),
        "confidence": torch.full((B, 1, H // 2, W // 2), 30.0),
        "occlusion": torch.zeros(B, 1, H // 2, W // 2),
        "semantic": torch.zeros(B, 9, H // 4, W // 4),
        "instance_center": torch.zeros(B, 1, H // 4, W // 4),
        "instance_offset": torch.zeros(B, 2, H // 4, W // 4),
    }


def test_a_right_prediction_costs_nothing_and_unknown_truth_neither():
    truth = torch.full((B, 1, H, W), 12.0)
    truth[:, :, :8] = math.nan
    losses = stereo_losses(prediction_of(truth), batch_with(truth))
    assert all(value.item() == pytest.approx(0, abs=1e-6) for value in losses.values()), losses
    assert set(losses) == {"full", "half", "levels", "confidence", "occlusion", "semantic", "center", "offset"}


def test_a_batch_without_any_truth_has_no_loss_and_finite_gradients():
    nothing = torch.full((B, 1, H, W), math.nan)
    prediction = prediction_of(nothing)
    total = sum(stereo_losses(prediction, batch_with(nothing)).values())
    total.backward()
    assert total.item() == 0
    assert prediction["disparity"].grad.abs().max() == 0


def test_each_stage_costs_its_weight_times_its_error():
    truth = torch.full((B, 1, H, W), 12.0)
    prediction = prediction_of(truth)
    prediction["disparity"] = truth + 3.0
    prediction["disparity2"] = prediction["disparity2"] - 2.0  # 4 px at full resolution
    losses = stereo_losses(prediction, batch_with(truth), full=2.0, half=0.25)
    assert losses["full"].item() == pytest.approx(2.0 * 2.5)
    assert losses["half"].item() == pytest.approx(0.25 * 3.5)
    # 3 px are more than 1 px + 3 %, and the network is sure: cross entropy of logit 30 against 0.
    assert losses["confidence"].item() == pytest.approx(0.3 * 30.0)


def test_truth_beyond_the_range_pulls_at_nothing_but_is_known_to_be_missed():
    truth = torch.full((B, 1, H, W), 50.0)
    prediction = prediction_of(torch.full((B, 1, H, W), 12.0))
    losses = stereo_losses(prediction, batch_with(truth), max_disparity_px=44.0)
    assert losses["full"].item() == losses["half"].item() == losses["levels"].item() == 0
    assert losses["confidence"].item() > 5


def test_the_levels_next_to_the_truth_share_its_weight():
    logits = torch.log(torch.tensor([0.1, 0.2, 0.6, 0.1])).view(1, 4, 1, 1)
    wanted = -(0.75 * math.log(0.2) + 0.25 * math.log(0.6))
    assert level_cross_entropy(logits, torch.full((1, 1, 1), 1.25)).item() == pytest.approx(wanted, rel=1e-5)


def test_occlusion_is_learnt_where_it_is_known():
    truth = torch.full((B, 1, H, W), 12.0)
    batch = batch_with(truth)
    batch.occluded[:, :, :16] = 0.0
    batch.occluded[:, :, :16, :16] = 1.0
    prediction = prediction_of(truth)
    prediction["occlusion"] = torch.where(batch.occluded[:, :, ::2, ::2] == 1, 20.0, -20.0)
    assert stereo_losses(prediction, batch)["occlusion"] < 1e-6
    prediction["occlusion"][:, :, 16:] = 100.0  # the unknown lower half
    assert stereo_losses(prediction, batch)["occlusion"] < 1e-6
    prediction["occlusion"] = -prediction["occlusion"]
    assert stereo_losses(prediction, batch)["occlusion"].item() == pytest.approx(0.3 * 20.0)


def test_an_objective_names_what_a_network_does_not_predict():
    truth = torch.full((B, 1, H, W), 12.0)
    prediction = prediction_of(truth)
    del prediction["disparity2"]
    with pytest.raises(
        MissingPredictionError, match=r"'panoptic_stereo' .* needs 'disparity2' and Identity predicts \['confidence"
    ):
        stereo_losses(prediction, batch_with(truth))


def test_an_unknown_objective_or_option_lists_what_exists():
    with pytest.raises(ValueError, match=r"objective among \[.*'panoptic_stereo'.*\], got 'panoptic_mono'"):
        make_objective("panoptic_mono", {}, 60.0, "loss.options")
    with pytest.raises(
        ValueError, match=r"among \['beta_px', 'center', .*'semantic'\] in section \[loss.options\], got \['centre'\]"
    ):
        make_objective("panoptic_stereo", {"centre": 1.0}, 60.0, "loss.options")
    with pytest.raises(ValueError, match=r"expected float for 'loss.options.full', got 'much'"):
        make_objective("panoptic_stereo", {"full": "much"}, 60.0, "loss.options")


def test_heads_at_half_the_usual_resolution_meet_truth_of_their_own_resolution():
    truth = 8.0 * torch.arange(H // 8).repeat_interleave(8).view(1, 1, H, 1).expand(B, 1, H, W)
    batch = batch_with(truth)
    batch.semantic = torch.arange(W // 8).repeat_interleave(8).remainder(9).expand(B, H, W)
    prediction = prediction_of(truth)
    levels = torch.arange(LEVELS).view(1, -1, 1, 1)
    prediction["level_logits"] = -50 * (levels - (truth[:, 0, ::8, ::8] / 8)[:, None]).abs()
    classes = torch.nn.functional.one_hot(batch.semantic[:, ::8, ::8], 9).permute(0, 3, 1, 2).float()
    prediction |= {"semantic": 90 * classes, "instance_center": torch.full((B, 1, H // 8, W // 8), -30.0)}
    prediction["instance_offset"] = torch.zeros(B, 2, H // 8, W // 8)
    losses = stereo_losses(prediction, batch)
    assert losses["levels"].item() == pytest.approx(0, abs=1e-6)
    # Where classes meet, the doubled logits of two neighbours are mixed; elsewhere they are right.
    assert losses["semantic"].item() < 3
    shifted = prediction | {"semantic": prediction["semantic"].roll(1, 3)}
    assert stereo_losses(shifted, batch)["semantic"].item() > 5 * losses["semantic"].item()


def test_the_penalty_is_linear_from_beta_on_and_flat_beyond_the_largest_error():
    truth = torch.full((B, 1, H, W), 20.0)

    def full_loss(error_px: float) -> float:
        prediction = prediction_of(truth) | {"disparity": truth + error_px}
        options = {"largest_error_px": 6.0, "beta_px": 0.5}
        return stereo_losses(prediction, batch_with(truth), **options)["full"].item()

    assert full_loss(0.2) == pytest.approx(0.5 * 0.2**2 / 0.5, rel=1e-4)
    assert full_loss(3.0) == pytest.approx(3.0 - 0.25)
    assert full_loss(9.0) == full_loss(30.0) == pytest.approx(6.0)


def test_class_weights_say_how_much_an_error_in_a_class_counts():
    nothing = torch.full((B, 1, H, W), math.nan)
    batch, prediction = batch_with(nothing), prediction_of(nothing)
    batch.semantic[:, : H // 2] = 0
    batch.semantic[:, H // 2 :] = 1
    prediction["semantic"][:, 0], prediction["semantic"][:, 1] = -1.0, 1.0
    wrong, right = (math.log(math.exp(-1) + math.exp(1) + 7) + sign for sign in (1, -1))

    def semantic(**options) -> float:
        return stereo_losses(prediction, batch, semantic=1.0, **options)["semantic"].item()

    assert semantic() == pytest.approx((wrong + right) / 2, rel=1e-5)
    weighted = [3.0, 1.0, *[1.0] * 7]
    assert semantic(class_weights=weighted) == pytest.approx((3 * wrong + right) / 4, rel=1e-5)
    with pytest.raises(ValueError, match="expected 9 class_weights, one for each class, got 2"):
        semantic(class_weights=[1.0, 2.0])
