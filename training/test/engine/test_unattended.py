# SPDX-License-Identifier: Apache-2.0
"""What a run survives without anybody near: signals, a full disk, the end of its box."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_network
import torch
from depth_runtime.files.sequence_folder import TrueFrame, write_frame
from depth_training.batches.config import DataConfig
from depth_training.batches.dataset_source import DatasetSource, collate_samples
from depth_training.core.distributed import Processes
from depth_training.data import Sample
from depth_training.engine.config import LogConfig, LossConfig, NetworkConfig, ScheduleConfig, TrainConfig
from depth_training.engine.stop_signals import StopSignals
from depth_training.engine.trainer import Trainer

ALONE = Processes(0, 1, torch.device("cpu"))
# Far beyond what the slowest and busiest machine needs: only a program that hangs meets it.
HANGS_S = 900
CONFIG = TrainConfig(
    network=NetworkConfig(name="tiny"),
    data=DataConfig(height=16, width=24, batch=2, augmented=False, threads=1),
    schedule=ScheduleConfig(steps=6, minutes=0.0),
    loss=LossConfig(objective="tiny_truth", max_disparity_px=30.0),
    log=LogConfig(every_steps=1, tensorboard=False, evaluate_minutes=0.0),
)
PAIR = Sample(*(np.full((16, 24, 3), 90, np.uint8) for _ in range(2)), disparity_px=np.full((16, 24), 4, np.float32))


def make_trainer(config: TrainConfig = CONFIG, kind: type[Trainer] = Trainer) -> Trainer:
    return kind(config, DatasetSource([PAIR], config.data, 0, ALONE.device), ALONE)


def log_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.fixture
def full_disk():
    """Files can no longer grow beyond 20 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(full: bool) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000 if full else before[0], before[1]))

    yield fill
    fill(False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_after_its_step_with_a_checkpoint(tmp_path, number):
    trainer = make_trainer()
    step = trainer.train_step

    def interrupted():
        if trainer.step == 2:
            os.kill(os.getpid(), number)
        return step()

    trainer.train_step = interrupted
    before = signal.getsignal(number)
    assert not trainer.run(tmp_path, [])
    assert (trainer.step, signal.getsignal(number)) == (3, before)
    again = make_trainer()
    again.resume(tmp_path / "last.pt")
    assert again.step == 3
    assert again.run(tmp_path, [])


def test_only_a_later_interrupt_stops_at_once(monkeypatch):
    with StopSignals() as signals:
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):  # as torchrun repeats them
            os.kill(os.getpid(), number)
        assert signals.caught == "SIGINT"
        monkeypatch.setattr("depth_training.engine.stop_signals.AGAIN_S", 0.0)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_after_a_signal_nothing_is_scored(tmp_path):
    trainer, validation = make_trainer(), [collate_samples([PAIR], ALONE.device)]
    trainer.turns.labelled.source.next_batch = lambda: os.kill(os.getpid(), signal.SIGTERM) or validation[0]
    trainer.run(tmp_path, validation)
    assert [(line["kind"], line["step"]) for line in log_of(tmp_path)] == [("validation", 0), ("train", 1)]


def test_a_full_disk_costs_checkpoints_and_reports_but_not_the_run(tmp_path, full_disk, caplog):
    trainer = make_trainer(replace(CONFIG, network=NetworkConfig(name="tiny", config={"width": 600})))
    trainer.save(tmp_path / "last.pt")
    whole = (tmp_path / "last.pt").read_bytes()
    assert len(whole) > 20_000
    (tmp_path / "log.jsonl").write_text(" " * 20_000)
    full_disk(True)
    with pytest.raises(OSError, match=r"expected room for .*last\.pt, got .* MB free; make room there"):
        trainer.run(tmp_path, [])
    full_disk(False)
    assert trainer.step == 6  # only the last checkpoint must succeed
    assert "no checkpoint at step 3" in caplog.text
    assert "a report is lost" in caplog.text
    assert (tmp_path / "last.pt").read_bytes() == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.pt", "log.jsonl"]


class Clock:
    """Stands in for the module `time` of the trainer: a second passes only where a test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


class SlowScores:
    """One validation batch that takes SECONDS of a clock to read."""

    SECONDS = 1.2

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int):
        if index:
            raise IndexError(index)
        self._clock.now_s += self.SECONDS
        return collate_samples([PAIR], ALONE.device)


class SlowTrainer(Trainer):
    """Each step takes a tenth of a second of `clock`."""

    clock: Clock

    def train_step(self):
        self.clock.now_s += 0.1
        return super().train_step()


def test_a_box_ends_early_enough_for_its_last_scores(tmp_path, monkeypatch):
    SlowTrainer.clock = clock = Clock()
    monkeypatch.setattr("depth_training.engine.trainer.time", clock)
    config = replace(CONFIG, schedule=ScheduleConfig(steps=10**6, minutes=0.0), log=LogConfig(tensorboard=False))
    trainer = make_trainer(config, SlowTrainer)
    assert not trainer.run(tmp_path, SlowScores(clock), box_end=6.0)
    # The scores read their batch twice, once for the picture: 2.4 s before the steps, 2.4 s after them, 1.2 s of steps.
    assert trainer.step in (12, 13)
    assert clock.now_s == pytest.approx(6.0, abs=0.11)
    again = make_trainer(config, SlowTrainer)
    again.resume(tmp_path / "last.pt")
    again.run(tmp_path, SlowScores(clock), box_end=clock.now_s + SlowScores.SECONDS)
    assert again.step == trainer.step + 1, "what the last scores took is remembered"


def test_a_killed_command_ends_well_and_goes_on(tmp_path):
    image = np.full((16, 24, 3), 90, np.uint8)
    truth, zeros = np.full((16, 24), 4, np.float32), np.zeros((16, 24), np.uint16)
    write_frame(tmp_path / "pairs", 0, TrueFrame(image, image, truth, zeros.astype(np.uint8), zeros))
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f"""
        network.name = "tiny"
        loss.objective = "tiny_truth"
        schedule = {{ steps = 1000000, minutes = 0.0 }}
        data = {{ dataset = "plain", root = "{tmp_path / "pairs"}", height = 16, width = 24, batch = 1, threads = 1 }}
        validation = {{ dataset = "plain", root = "{tmp_path / "pairs"}" }}
        log = {{ every_steps = 1, tensorboard = false }}
        """
    )
    words = ["-m", "tiny_network", "train", str(recipe), "--out", str(tmp_path / "out"), "--resume"]
    path = os.pathsep.join(filter(None, (str(Path(tiny_network.__file__).parent), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    steps = []
    for _ in range(2):
        process = subprocess.Popen([sys.executable, *words], env=environment, stderr=subprocess.PIPE, text=True)
        trained = len(steps) and steps[-1]
        deadline = time.monotonic() + HANGS_S
        while time.monotonic() < deadline and not _has_trained(tmp_path / "out" / "log.jsonl", trained):
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=HANGS_S)
        assert process.returncode == 0, errors[-2000:]
        assert "SIGTERM: saving after this step" in errors
        steps.append(json.loads((tmp_path / "out" / "metrics.json").read_text())["steps"])
        assert f"stopped at step {steps[-1]}: continue with --resume" in errors
    assert 0 < steps[0] < steps[1]


def _has_trained(path: Path, beyond: int) -> bool:
    """True when the log holds a training step after number `beyond`."""
    lines = path.read_text().splitlines(keepends=True) if path.is_file() else []
    rows = [json.loads(line) for line in lines if line.endswith("\n")]
    return any(row["kind"] == "train" and row["step"] > beyond for row in rows)
