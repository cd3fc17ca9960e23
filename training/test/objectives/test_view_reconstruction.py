# SPDX-License-Identifier: Apache-2.0
"""Objectives without truth: what they cost, where they look, and what they may not teach."""

import math
from dataclasses import replace
from pathlib import Path

import depth_models
import pytest
import torch
from depth_training.batches.stereo_batch import StereoBatch
from depth_training.core.strict_config import read_config
from depth_training.engine.config import ScheduleConfig, TrainConfig, UnlabelledConfig
from depth_training.objectives import make_objective
from torch.nn import functional

CONFIGS = Path(__file__).parents[2] / "configs"
B, H, W, SHIFT = 2, 64, 128, 6


def unlabelled(left: torch.Tensor, right: torch.Tensor) -> StereoBatch:
    return StereoBatch(
        left=left,
        right=right,
        disparity_px=torch.full((B, 1, H, W), math.nan),
        occluded=torch.full((B, 1, H, W), math.nan),
        semantic=torch.full((B, H, W), 255),
        instance=torch.zeros(B, H, W, dtype=torch.long),
        has_instances=torch.zeros(B, dtype=torch.bool),
    )


@pytest.fixture(scope="module")
def pair():
    """A textured wall at disparity 6."""
    torch.manual_seed(0)
    wide = functional.interpolate(torch.rand(B, 3, 16, 36) * 255, (H, W + 16), mode="bicubic").clamp(0, 255)
    return unlabelled(wide[..., :W], wide[..., SHIFT : W + SHIFT])


def prediction_at(disparity_px: float, batch: StereoBatch, occlusion: float = -20.0) -> dict:
    """A prediction of one disparity everywhere, with colours as features at 1/2."""
    return {
        "disparity": torch.full((B, 1, H, W), disparity_px, requires_grad=True),
        "occlusion": torch.full((B, 1, H // 2, W // 2), occlusion, requires_grad=True),
        "left_features": (functional.avg_pool2d(batch.left, 2).requires_grad_(),),
        "right_features": (functional.avg_pool2d(batch.right, 2).requires_grad_(),),
    }


def losses_of(name: str, prediction: dict, batch: StereoBatch, **options) -> dict[str, torch.Tensor]:
    return make_objective(name, options, 188.0, "loss")(torch.nn.Identity(), prediction, batch)


@pytest.mark.parametrize("name", ["photometric", "deep_features"])
def test_the_true_disparity_costs_least(name, pair):
    cost = {d: losses_of(name, prediction_at(d, pair), pair)[name].item() for d in (2.0, 4.0, 6.0, 8.0, 10.0)}
    assert min(cost, key=cost.get) == SHIFT
    assert cost[SHIFT] < 1e-3 < 0.1 * min(cost[4.0], cost[8.0])


@pytest.mark.parametrize("name", ["photometric", "deep_features"])
@pytest.mark.parametrize("mask", ["soft", "threshold"])
def test_what_is_called_occluded_does_not_count_nor_teach(name, mask, pair):
    prediction = prediction_at(4.0, pair)
    with torch.no_grad():
        prediction["occlusion"][:, :, :, : W // 4] = 20.0
    losses = losses_of(name, prediction, pair, mask=mask, smoothness=0.0)
    (losses[name]).backward()
    # Cells whose own pixels are all occluded; those at the border of both halves may look across.
    assert prediction["disparity"].grad[..., : W // 2 - 2].abs().max() < 1e-8
    assert prediction["disparity"].grad[..., W // 2 :].abs().max() > 1e-6
    assert prediction["occlusion"].grad is None


@pytest.mark.parametrize("name", ["photometric", "deep_features"])
def test_calling_more_occluded_does_not_make_the_error_smaller(name, pair):
    sure, doubting = (losses_of(name, prediction_at(4.0, pair, o), pair) for o in (-20.0, 2.0))
    assert doubting[name].item() == pytest.approx(sure[name].item(), rel=1e-3)
    assert sure["occluded_fraction"].item() == 0
    assert doubting["occluded_fraction"].item() == pytest.approx(0.1 * (torch.sigmoid(torch.tensor(2.0)).item() - 0.3))


def test_too_much_occlusion_is_pulled_back(pair):
    prediction = prediction_at(4.0, pair, 2.0)
    losses_of("photometric", prediction, pair)["occluded_fraction"].backward()
    assert (prediction["occlusion"].grad > 0).all()


def test_columns_that_the_right_view_does_not_show_do_not_count(pair):
    prediction = prediction_at(10.0, pair)
    losses_of("photometric", prediction, pair, mask="none", smoothness=0.0)["photometric"].backward()
    assert prediction["disparity"].grad[..., :9].abs().max() == 0
    assert prediction["disparity"].grad[..., 12:].abs().max() > 0


def test_features_learn_only_where_asked_for(pair):
    for train_features in (False, True):
        prediction = prediction_at(4.0, pair)
        losses_of("deep_features", prediction, pair, train_features=train_features)["deep_features"].backward()
        assert prediction["disparity"].grad.abs().max() > 0
        assert (prediction["left_features"][0].grad is not None) == train_features


def test_coarse_scales_are_judged_at_full_size(pair):
    prediction = prediction_at(6.0, pair)
    prediction["disparity_scales"] = (torch.full((B, 1, 4, 8), 2.0), torch.full((B, 1, 8, 16), 6.0))
    only, finest, all_scales = (
        losses_of("photometric", prediction, pair, scales=n)["photometric"].item() for n in (0, 1, 2)
    )
    assert finest == pytest.approx(only, abs=1e-6)
    wrong = losses_of("photometric", prediction_at(2.0, pair), pair)["photometric"].item()
    assert all_scales == pytest.approx((2 * only + wrong) / 3, rel=1e-4)


def test_wrong_options_and_predictions_are_refused(pair):
    for options, text in (
        ({"mask": "hard"}, "'soft'.*got 'hard'"),
        ({"sampling": "box"}, "'bilinear'.*got 'box'"),
    ):
        with pytest.raises(ValueError, match=text):
            make_objective("photometric", options, 188.0, "loss")
    with pytest.raises(ValueError, match=r"'cosine'.*got 'dot'"):
        make_objective("deep_features", {"distance": "dot"}, 188.0, "loss")
    prediction = prediction_at(4.0, pair)
    del prediction["left_features"]
    with pytest.raises(ValueError, match="left_features"):
        losses_of("deep_features", prediction, pair)


@pytest.mark.parametrize("network", ["dispnet", "stereo_s"])
@pytest.mark.parametrize("name", ["photometric", "deep_features"])
def test_every_network_of_ours_learns_without_truth(network, name, pair):
    torch.manual_seed(0)
    module = depth_models.build(network, **({"width": 0.125} if network == "dispnet" else {}))
    losses = make_objective(name, {"occlusion": 0.0}, 188.0, "loss")(module, module(pair.left, pair.right), pair)
    sum(losses.values()).backward()
    moved = [n for n, p in module.named_parameters() if p.grad is not None and p.grad.abs().max() > 0]
    assert len(moved) > 20
    assert all(p.grad.isfinite().all() for p in module.parameters() if p.grad is not None)


@pytest.mark.parametrize("name", ["photometric", "deep_features"])
def test_the_semi_supervised_recipes_differ_from_the_supervised_one_by_their_unlabelled_steps_alone(name):
    suffix = {"photometric": "ph", "deep_features": "dfr"}[name]
    semi, supervised = (
        read_config(TrainConfig, CONFIGS / f"{n}.toml") for n in (f"dispnet_semisup_{suffix}", "dispnet")
    )
    assert semi.unlabelled.objective == name
    # Both take as many labelled steps: all of them up to from_progress, then `every` of every + 1.
    late, every = 1 - semi.unlabelled.from_progress, semi.unlabelled.every
    labelled_fraction = 1 - late / (every + 1)
    assert supervised.schedule.minutes == pytest.approx(labelled_fraction * semi.schedule.minutes)
    alike = [replace(r, unlabelled=UnlabelledConfig(), schedule=ScheduleConfig()) for r in (semi, supervised)]
    assert alike[0] == alike[1]
