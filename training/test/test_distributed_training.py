# SPDX-License-Identifier: Apache-2.0
"""Two processes train as one does with the whole batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

CONFIG = Path(__file__).parents[1] / "configs" / "smoke.toml"
# Frozen statistics: on CPUs torch has no batch norm that sees the batches of all processes.
OVERRIDES = [
    *("data.height=32", "data.width=64", "data.batch=4", "world.computed_textures=4", "world.flying=1.0"),
    *("schedule.steps=3", "log.every_steps=1", "log.held_out_batches=1", "log.tensorboard=false"),
    *("optimiser.batch_norm='frozen'", "optimiser.learning_rate=1e-4"),
]


def train(folder: Path, launcher: list[str]) -> tuple[dict, list[dict]]:
    """Checkpoint and log lines of a short run."""
    command = ["train", "--config", str(CONFIG), "--out", str(folder), "--threads", "1"]
    command += [part for text in OVERRIDES for part in ("--set", text)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        [sys.executable, *launcher, "-m", "depth_training", *command],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return torch.load(folder / "last.pt", weights_only=True), lines


def mean_gradients(checkpoint: dict) -> torch.Tensor:
    """Running means of the gradients of all parameters, which AdamW keeps."""
    return torch.cat([state["exp_avg"].flatten() for state in checkpoint["state"]["optimiser"]["state"].values()])


def test_two_processes_train_as_one_with_the_double_batch(tmp_path):
    alone, lines = train(tmp_path / "alone", [])
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    together, lines_together = train(tmp_path / "together", launcher)
    # One set of reports, not two; losses are means over the processes.
    assert [line["kind"] for line in lines_together] == ["held_out", "train", "train", "train", "held_out"]
    for one, two in zip(lines, lines_together, strict=True):
        names = {"loss", "full", "occlusion", "semantic", "gradient", "epe"} & set(one)
        assert {name: two[name] for name in names} == pytest.approx({name: one[name] for name in names}, rel=1e-4)
    gradients, gradients_together = (mean_gradients(run) for run in (alone, together))
    assert gradients.norm() > 0.01
    assert (gradients - gradients_together).norm() < 1e-4 * gradients.norm()
    for name, value in alone["weights"].items():
        torch.testing.assert_close(together["weights"][name], value, rtol=1e-4, atol=1e-6)
