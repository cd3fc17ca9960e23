# SPDX-License-Identifier: Apache-2.0
"""The training loop on a tiny network and tiny pairs with known shift."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from depth_training.batches.config import DataConfig
from depth_training.batches.dataset_source import DatasetSource, collate_samples
from depth_training.core.distributed import Processes
from depth_training.data import Sample
from depth_training.engine.checkpoint import read_checkpoint, rebuild_network, require_same_recipe
from depth_training.engine.config import LogConfig, LossConfig, NetworkConfig, ScheduleConfig, TrainConfig
from depth_training.engine.schedule import one_cycle
from depth_training.engine.trainer import Trainer
from depth_training.transforms.geometry import random_window

ALONE = Processes(0, 1, torch.device("cpu"))
CONFIG = TrainConfig(
    network=NetworkConfig(
        config={"levels": 8, "aggregate_widths": (16, 16, 24), "aggregate_depth": 1, "refine_width": 8}
    ),
    data=DataConfig(height=32, width=64, batch=2, augmented=False),
    schedule=ScheduleConfig(steps=8, minutes=0.0),
    loss=LossConfig(max_disparity_px=30.0),
    log=LogConfig(every_steps=1, tensorboard=False),
)


class ShiftedPairs:
    """Five textured pairs of 40 x 80 px; pair i has the disparity 3 + 2 i px everywhere, unknown in row 0."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Sample:
        shift = 3 + 2 * index
        wide = np.random.default_rng(index).integers(0, 256, (40, 80 + shift, 3), dtype=np.uint8)
        disparity = np.full((40, 80), shift, np.float32)
        disparity[0] = np.nan
        return Sample(left=wide[:, :80].copy(), right=wide[:, shift:].copy(), disparity_px=disparity, name=str(index))


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_trainer(config: TrainConfig = CONFIG) -> Trainer:
    return Trainer(config, DatasetSource(ShiftedPairs(), config.data, config.seed, ALONE.device), ALONE)


def test_a_resumed_run_has_the_same_losses_to_the_last_bit(tmp_path):
    straight = make_trainer()
    losses = [straight.train_step()["loss"].item() for _ in range(5)]
    first = make_trainer()
    assert [first.train_step()["loss"].item() for _ in range(2)] == losses[:2]
    first.save(tmp_path / "last.pt")
    torch.rand(3)
    second = make_trainer()
    second.resume(tmp_path / "last.pt")
    assert [second.train_step()["loss"].item() for _ in range(3)] == losses[2:]
    for name, value in straight.ema.state().items():
        assert torch.equal(value, second.ema.state()[name]), name


def test_a_checkpoint_rebuilds_its_averaged_network_alone(tmp_path):
    trainer = make_trainer()
    trainer.train_step()
    trainer.save(tmp_path / "last.pt")
    data = read_checkpoint(tmp_path / "last.pt")
    network = rebuild_network(data)
    assert network.config == trainer.network.config
    assert data["spec"]["max_disparity"] == 32.0
    assert data["recipe"]["data"]["height"] == 32
    assert data["git_revision"]
    pair = torch.rand(2, 1, 3, 32, 64) * 255
    with torch.no_grad():
        predictions = [one(*pair)["disparity"] for one in (network, trainer.ema.network)]
    torch.testing.assert_close(*predictions)


def test_a_key_younger_than_a_checkpoint_counts_as_its_default():
    own = asdict(CONFIG)
    old = {**own, "world": {k: v for k, v in own["world"].items() if k != "studio"}}
    require_same_recipe(Path("last.pt"), old, own)
    younger = {**own, "world": {**own["world"], "studio": 0.25}}
    with pytest.raises(ValueError, match=r"other values of \['world.studio'\]"):
        require_same_recipe(Path("last.pt"), old, younger)


def test_another_recipe_or_file_is_refused_by_name(tmp_path):
    trainer = make_trainer()
    trainer.save(tmp_path / "last.pt")
    other = replace(CONFIG, seed=1, data=replace(CONFIG.data, batch=4), log=LogConfig(every_steps=9))
    with pytest.raises(ValueError, match=r"other values of \['seed', 'data.batch'\]; use another --out"):
        make_trainer(other).resume(tmp_path / "last.pt")
    torch.save({"weights": {}}, tmp_path / "foreign.pt")
    with pytest.raises(ValueError, match=r"expected a checkpoint in .*foreign\.pt, got another file"):
        trainer.resume(tmp_path / "foreign.pt")
    old = torch.load(tmp_path / "last.pt", weights_only=True) | {"schema": 1}
    torch.save(old, tmp_path / "old.pt")
    with pytest.raises(ValueError, match=r"checkpoint of schema 3 in .*old\.pt, got schema 1; finish that run with"):
        trainer.resume(tmp_path / "old.pt")


def test_a_run_reports_and_a_time_box_ends_it_early(tmp_path):
    trainer = make_trainer()
    validation = [collate_samples([random_window(ShiftedPairs()[4], 32, 64, np.random.default_rng(0))], ALONE.device)]
    assert not trainer.run(tmp_path, validation, box_end=0.0)
    assert (trainer.step, trainer.progress) == (1, 1 / 8)
    again = make_trainer()
    again.resume(tmp_path / "last.pt")
    assert again.run(tmp_path, validation)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "train"] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [line["step"] for line in lines if line["kind"] == "validation"] == [0, 1, 8]
    assert {"loss", "epe", "d1", "bad2"} <= set(lines[-1])
    assert "miou" not in lines[-1]  # nothing is labelled


def test_a_step_in_bfloat16_has_nearly_the_loss_of_float32():
    losses = [make_trainer(replace(CONFIG, precision=kind)).train_step() for kind in ("float32", "bfloat16")]
    # The disparity of a random network hangs on the last bits of its levels, its other outputs do not; CPUs with BF16
    # units round elsewhere than those without.
    for name in ("levels", "confidence"):
        exact, rough = (values[name].item() for values in losses)
        assert rough == pytest.approx(exact, rel=0.05)
        assert rough != exact
    assert all(value.dtype == torch.float32 for value in losses[1].values())


def test_a_gradient_that_is_not_finite_changes_nothing():
    trainer = make_trainer()
    before = {name: value.clone() for name, value in trainer.network.named_parameters()}
    trainer.network.temperature.register_hook(lambda gradient: gradient * torch.inf)
    trainer.train_step()
    assert trainer.skipped.item() == 1
    assert all(torch.equal(value, before[name]) for name, value in trainer.network.named_parameters())


def test_frozen_batch_norms_keep_their_statistics_and_train_their_scale():
    for mode in ("frozen", "train"):
        trainer = make_trainer(replace(CONFIG, optimiser=replace(CONFIG.optimiser, batch_norm=mode)))
        mean = trainer.network.features.backbone.stem[1].running_mean
        before = mean.clone()
        trainer.train_step()
        assert torch.equal(mean, before) == (mode == "frozen")


def test_averages_forget_the_start_quickly_and_then_slowly():
    trainer = make_trainer()
    current, average = trainer.network.temperature, trainer.ema.network.temperature
    for step, weight in ((0, 0.9), (40, 1 - 41 / 50), (10**6, 0.001)):
        average.fill_(2.0)
        trainer.ema.update(trainer.network, step)
        assert average.item() == pytest.approx(2.0 + weight * (current.item() - 2.0))


def test_the_rate_warms_up_and_falls_to_its_end():
    assert one_cycle(0.0, 0.04) == pytest.approx(0.05)
    assert one_cycle(0.02, 0.04) == pytest.approx(0.525)
    assert one_cycle(0.04, 0.04) == pytest.approx(1.0)
    assert one_cycle(0.52, 0.04, 0.02) == pytest.approx(0.51)
    assert one_cycle(1.0, 0.04, 0.02) == pytest.approx(0.02)


def test_each_pass_over_a_data_set_reads_every_pair_once_and_keeps_its_truth():
    source = DatasetSource(ShiftedPairs(), replace(CONFIG.data, batch=5), 3, ALONE.device)
    first, second = source.next_batch(), source.next_batch()
    shifts = [batch.disparity_px[:, 0, 9, 9].tolist() for batch in (first, second)]
    assert [sorted(s) for s in shifts] == [[3, 5, 7, 9, 11]] * 2
    assert shifts[0] != shifts[1]
    for left, right, shift in zip(first.left, first.right, shifts[0], strict=True):
        assert torch.equal(left[:, :, int(shift) :], right[:, :, : -int(shift)])
    assert first.occluded.isnan().all()
    assert not first.has_instances.any()


def test_augmented_views_are_scaled_with_their_truth_and_repeated():
    data = replace(CONFIG.data, batch=5, augmented=True)
    batch, again = (DatasetSource(ShiftedPairs(), data, 3, ALONE.device).next_batch() for _ in range(2))
    assert batch.left.shape == (5, 3, 32, 64)
    assert torch.equal(batch.left, again.left)
    assert torch.equal(batch.right, again.right)
    shifts = batch.disparity_px[:, 0, 9]
    assert (shifts.amax(1) - shifts.amin(1)).max() < 1e-4
    assert not set(shifts[:, 9].tolist()) & {3, 5, 7, 9, 11}


def test_two_processes_share_a_batch_out():
    whole = DatasetSource(ShiftedPairs(), replace(CONFIG.data, batch=4), 0, ALONE.device).next_batch()
    parts = [DatasetSource(ShiftedPairs(), replace(CONFIG.data, batch=4), 0, ALONE.device, r, 2) for r in (0, 1)]
    assert torch.equal(torch.cat([part.next_batch().left for part in parts]), whole.left)


def test_a_pair_that_is_too_small_or_mono_names_itself():
    sample = ShiftedPairs()[2]
    with pytest.raises(ValueError, match=r"at least 96x32, got 80x40 in '2'"):
        random_window(sample, 32, 96, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"expected a stereo pair"):
        random_window(replace(sample, right=None), 32, 64, np.random.default_rng(0))
