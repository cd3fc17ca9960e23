# SPDX-License-Identifier: Apache-2.0
"""Labelled and unlabelled steps, and held-out pairs, of any network and objective."""

from dataclasses import replace

import pytest
import torch
from depth_training.engine.config import LossConfig, TrainConfig, UnlabelledConfig, ValidationConfig
from depth_training.engine.run_data import RunData
from depth_training.engine.trainer import Trainer
from tiny_recipes import ALONE, make_trainer, recipe, write_folders


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_folders(tmp_path_factory.mktemp("pairs"))


def semi_supervised(folders, **fields) -> TrainConfig:
    """Two labelled steps, then one on three grey pairs without truth."""
    unlabelled = UnlabelledConfig(
        dataset="plain", root=folders["grey"], batch=3, every=2, objective="tiny_images", augmented=False
    )
    return recipe(folders, unlabelled=replace(unlabelled, **fields))


def kinds(trainer: Trainer, steps: int) -> list[str]:
    """Which loss each step had."""
    return ["truth" if "truth" in trainer.train_step() else "images" for _ in range(steps)]


def test_an_unlabelled_step_follows_each_cycle_of_labelled_ones(folders):
    trainer = make_trainer(semi_supervised(folders))
    assert kinds(trainer, 7) == ["truth", "truth", "images", "truth", "truth", "images", "truth"]
    assert trainer.turns.positions == {"train": 5, "unlabelled": 2}


def test_unlabelled_steps_start_late_where_asked_for(folders):
    trainer = make_trainer(semi_supervised(folders, every=1, from_progress=0.4))
    assert kinds(trainer, 8) == ["truth"] * 5 + ["images", "truth", "images"]


def test_without_unlabelled_pairs_every_step_is_labelled(folders):
    trainer = make_trainer(recipe(folders))
    assert kinds(trainer, 4) == ["truth"] * 4
    assert trainer.turns.positions == {"train": 4}


@pytest.mark.parametrize("pause", [1, 2, 3, 5])
def test_a_run_with_turns_resumes_to_the_last_bit(folders, tmp_path, pause):
    config = semi_supervised(folders)
    straight = make_trainer(config)
    losses = [straight.train_step()["loss"].item() for _ in range(8)]
    first = make_trainer(config)
    assert [first.train_step()["loss"].item() for _ in range(pause)] == losses[:pause]
    first.save(tmp_path / "last.pt")
    second = make_trainer(config)
    second.resume(tmp_path / "last.pt")
    assert [second.train_step()["loss"].item() for _ in range(8 - pause)] == losses[pause:]
    assert len(set(losses)) == 8


def test_weight_scales_the_whole_unlabelled_loss_and_options_its_terms(folders):
    def third_step(**fields):
        trainer = make_trainer(semi_supervised(folders, **fields))
        return [trainer.train_step() for _ in range(3)][-1]

    plain, scaled, doubled = third_step(), third_step(weight=0.25), third_step(loss={"weight": 2.0})
    assert plain["loss"] == plain["images"] > 0
    assert scaled["loss"].item() == pytest.approx(0.25 * plain["loss"].item(), rel=1e-5)
    assert scaled["images"].item() == pytest.approx(plain["images"].item(), rel=1e-5)
    assert doubled["images"].item() == pytest.approx(2 * plain["images"].item(), rel=1e-5)


def test_a_head_without_a_gradient_stays_as_it_is(folders):
    trainer = make_trainer(semi_supervised(folders, every=1))
    trainer.train_step()
    before = {name: value.clone() for name, value in trainer.network.named_parameters()}
    trainer.train_step()
    same = {name for name, value in trainer.network.named_parameters() if torch.equal(value, before[name])}
    assert {"occlusion.weight", "occlusion.bias"} <= same
    assert "disparity.weight" not in same


def test_both_turns_are_reported(folders, tmp_path):
    trainer = make_trainer(semi_supervised(folders))
    assert trainer.run(tmp_path, [])
    log = (tmp_path / "log.jsonl").read_text()
    assert log.count('"kind": "unlabelled"') == 4
    assert log.count('"kind": "train"') == 8


def test_a_run_is_scored_on_whole_held_out_pairs(folders, tmp_path):
    config = recipe(folders, validation=ValidationConfig(dataset="plain", root=folders["bright"], pairs=2))
    trainer = make_trainer(config)
    validation = RunData(config, ALONE).validation(trainer.network.size_multiple)
    assert [batch.left[0, 0, 0, 0].item() for batch in validation] == [200, 202]
    assert validation[0].left.shape == (1, 3, 24, 40)
    trainer.run(tmp_path, validation)
    assert {"loss", "epe", "d1", "bad2"} == set(trainer.scores)  # the network predicts no classes
    with torch.no_grad():
        predictions = torch.cat([batch.predict_with(trainer.ema.network)["disparity"] for batch in validation])
    assert trainer.scores["epe"] == pytest.approx((predictions - 5).abs().mean().item(), rel=1e-5)
    assert len(RunData(recipe(folders, validation=replace(config.validation, pairs=0)), ALONE).validation(8)) == 3
    with pytest.raises(ValueError, match=r"at least 32 x 32 px to score, got 40 x 24 in 'bright/000000'"):
        RunData(config, ALONE).validation(32)[0]


def test_other_held_out_pairs_do_not_make_another_run(folders, tmp_path):
    trainer = make_trainer(recipe(folders))
    trainer.save(tmp_path / "last.pt")
    make_trainer(recipe(folders, validation=ValidationConfig(dataset="plain"))).resume(tmp_path / "last.pt")
    with pytest.raises(ValueError, match=r"other values of \['unlabelled.dataset', .*'unlabelled.every'"):
        make_trainer(semi_supervised(folders)).resume(tmp_path / "last.pt")


def test_a_loss_that_cannot_be_computed_is_left_out_of_the_scores(folders, tmp_path):
    config = recipe(folders, validation=ValidationConfig(dataset="plain", root=folders["grey"], pairs=1))
    trainer = make_trainer(config)
    prediction = trainer.ema.network.forward
    trainer.ema.network.forward = lambda **images: {"disparity": prediction(**images)["disparity"]}
    trainer.run(tmp_path, RunData(config, ALONE).validation(8))
    assert set(trainer.scores) == {"epe", "d1", "bad2"}


def test_views_must_fit_the_network(folders):
    config = recipe(folders)
    with pytest.raises(ValueError, match=r"data.height and data.width in multiples of 8 px for 'tiny', got 20 and 24"):
        make_trainer(replace(config, data=replace(config.data, height=20)))
    with pytest.raises(ValueError, match=r"unlabelled.height and unlabelled.width .* got 16 and 30"):
        make_trainer(semi_supervised(folders, height=16, width=30))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"every": 0}, r"unlabelled.every >= 1 and unlabelled.weight > 0, got 0 and 1.0"),
        ({"objective": "tiny_image"}, r"objective among \[.*'tiny_images'.*\], got 'tiny_image'"),
        ({"loss": {"wait": 1.0}}, r"among \['weight'\] in section \[unlabelled.loss\], got \['wait'\]"),
    ],
)
def test_a_wrong_unlabelled_section_is_refused(folders, fields, message):
    with pytest.raises(ValueError, match=message):
        semi_supervised(folders, **fields)


def test_an_objective_for_another_network_says_what_is_missing(folders):
    trainer = make_trainer(recipe(folders, loss=LossConfig(objective="panoptic_stereo")))
    message = r"'panoptic_stereo' .* needs 'level_logits' and Tiny predicts \['disparity', 'occlusion'\]"
    with pytest.raises(ValueError, match=message):
        trainer.train_step()
