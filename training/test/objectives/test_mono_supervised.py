# SPDX-License-Identifier: Apache-2.0
"""The loss of a network of one camera: metres at the canonical focal length, and nothing where they are unknown."""

import math
from types import SimpleNamespace

import pytest
import torch
from depth_training.batches.stereo_batch import StereoBatch
from depth_training.objectives import MissingPredictionError, make_objective

B, H, W = 2, 32, 64
NETWORK = SimpleNamespace(config=SimpleNamespace(canonical_focal_px=500.0, nearest_m=0.5, farthest_m=200.0))
FOCAL_PX = torch.tensor([250.0, 1000.0])  # canonical depth is twice, and half, of the true one


def losses_of(prediction: dict[str, torch.Tensor], batch: StereoBatch, **options: object) -> dict[str, torch.Tensor]:
    return make_objective("mono_supervised", options, 188.0, "loss.options")(NETWORK, prediction, batch)


def batch_with(depth_m: torch.Tensor | None, focal_px: torch.Tensor | None = FOCAL_PX) -> StereoBatch:
    """Nothing known but depth and focal length."""
    return StereoBatch(
        left=torch.zeros(B, 3, H, W),
        right=torch.zeros(B, 3, H, W),
        disparity_px=torch.full((B, 1, H, W), math.nan),
        occluded=torch.full((B, 1, H, W), math.nan),
        semantic=torch.full((B, H, W), 255),
        instance=torch.zeros(B, H, W, dtype=torch.long),
        has_instances=torch.zeros(B, dtype=torch.bool),
        depth_m=depth_m,
        focal_px=focal_px,
    )


def prediction_of(canonical_depth_m: torch.Tensor) -> dict[str, torch.Tensor]:
    return {
        "depth": canonical_depth_m.clone().requires_grad_(),
        "confidence": torch.full((B, 1, H // 2, W // 2), 30.0, requires_grad=True),
        "semantic": torch.zeros(B, 9, H // 4, W // 4),
        "instance_center": torch.zeros(B, 1, H // 4, W // 4),
        "instance_offset": torch.zeros(B, 2, H // 4, W // 4),
    }


def ramp() -> torch.Tensor:
    """Depth of 4 to 40 m from column to column."""
    return torch.linspace(4, 40, W).expand(B, 1, H, W)


def test_true_metres_cost_nothing_for_any_focal_length():
    canonical = ramp() * torch.tensor([2.0, 0.5]).view(B, 1, 1, 1)
    losses = losses_of(prediction_of(canonical), batch_with(ramp()))
    assert set(losses) == {"depth", "steps", "confidence", "semantic", "center", "offset"}
    assert all(value.item() == pytest.approx(0, abs=1e-5) for value in losses.values()), losses


def test_a_scale_costs_its_logarithm_and_no_step():
    canonical = ramp() * torch.tensor([2.0, 0.5]).view(B, 1, 1, 1)
    losses = losses_of(prediction_of(1.5 * canonical), batch_with(ramp()), depth=2.0)
    assert losses["depth"].item() == pytest.approx(2 * math.log(1.5), rel=1e-4)
    assert losses["steps"].item() == pytest.approx(0, abs=1e-5)
    # Sure of itself and wrong by a half: cross entropy of logit 30 against 0.
    assert losses["confidence"].item() == pytest.approx(0.3 * 30.0)


@pytest.mark.parametrize(("factor", "cost"), [(1.09, 0.0), (0.91, 0.0), (1.11, 30.0), (0.89, 30.0)])
def test_confidence_learns_whether_the_relative_error_is_below_a_tenth(factor, cost):
    prediction = prediction_of(torch.full((B, 1, H, W), 20.0 * factor))
    losses = losses_of(prediction, batch_with(torch.full((B, 1, H, W), 20.0), torch.full((B,), 500.0)), confidence=1.0)
    assert losses["confidence"].item() == pytest.approx(cost, abs=1e-5)
    losses["confidence"].backward()
    assert prediction["depth"].grad is None  # it learns to judge depth, not to change it
    assert prediction["confidence"].grad.isfinite().all()


def test_a_step_of_the_error_costs_at_every_stride():
    depth_m = torch.full((B, 1, H, W), 10.0)
    wrong = depth_m.clone()
    wrong[..., W // 2 :] *= math.e
    losses = losses_of(prediction_of(wrong), batch_with(depth_m, torch.full((B,), 500.0)), steps=1.0)
    # One of W / stride - 1 steps of a row is 1, and none of a column.
    assert losses["steps"].item() == pytest.approx(sum(1 / (W // stride - 1) for stride in (1, 2, 4, 8)) / 4, rel=1e-4)


def test_sky_is_the_far_end_of_the_range_and_what_is_too_near_is_unknown():
    depth_m = torch.full((B, 1, H, W), math.inf)
    losses = losses_of(prediction_of(torch.full((B, 1, H, W), 200.0)), batch_with(depth_m))
    assert all(value.item() == pytest.approx(0, abs=1e-5) for value in losses.values())
    near = losses_of(prediction_of(torch.full((B, 1, H, W), 9.0)), batch_with(torch.full((B, 1, H, W), 0.2)))
    # 0.2 m is 0.4 m and 0.1 m at the canonical focal length, both below the range.
    assert all(value.item() == 0 for value in near.values())


@pytest.mark.parametrize(
    "batch",
    [batch_with(ramp(), None), batch_with(None), batch_with(ramp(), torch.full((B,), math.nan))],
    ids=["no camera in the batch", "no depth in the batch", "unknown cameras"],
)
def test_without_a_camera_or_depth_there_is_no_loss_and_the_gradient_is_finite(batch):
    prediction = prediction_of(ramp())
    total = sum(losses_of(prediction, batch).values())
    total.backward()
    assert total.item() == 0
    assert prediction["depth"].grad.abs().max() == 0


def test_data_without_camera_teach_only_where_they_have_classes():
    objective = make_objective("mono_supervised", {}, 188.0, "loss.options")
    assert objective.can_learn_from(batch_with(ramp()))
    blind = batch_with(ramp(), None)
    assert not objective.can_learn_from(blind)
    blind.semantic[0, 0, 0] = 3
    assert objective.can_learn_from(blind)


def test_a_network_without_depth_is_refused_by_name():
    with pytest.raises(MissingPredictionError, match="'mono_supervised' to fit the network, but it needs 'depth'"):
        losses_of({"disparity": torch.ones(B, 1, H, W)}, batch_with(ramp()))
