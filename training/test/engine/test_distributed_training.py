# SPDX-License-Identifier: Apache-2.0
"""Two processes train as one does with the whole batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_network
import torch
from depth_runtime.files.sequence_folder import TrueFrame, write_frame

CONFIG = Path(__file__).parents[2] / "configs" / "smoke.toml"
# Frozen statistics: on CPUs torch has no batch norm that sees the batches of all processes.
OVERRIDES = [
    *("data.height=32", "data.width=64", "data.batch=4", "world.computed_textures=4", "world.flying=1.0"),
    *("schedule.steps=3", "log.every_steps=1", "log.validation_batches=1", "log.tensorboard=false"),
    *("optimiser.batch_norm='frozen'", "optimiser.learning_rate=1e-4"),
]


TOGETHER = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


def train(
    folder: Path, launcher: list[str], overrides: list[str] = OVERRIDES, program: str = "depth_training"
) -> tuple[dict, list[dict]]:
    """Checkpoint and log lines of a short run."""
    command = ["train", str(CONFIG), "--out", str(folder), "--threads", "1"]
    command += [part for text in overrides for part in ("--set", text)]
    path = os.pathsep.join(filter(None, (str(Path(tiny_network.__file__).parent), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, *launcher, "-m", program, *command],
        capture_output=True,
        text=True,
        env=environment,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return torch.load(folder / "last.pt", weights_only=True), lines


def mean_gradients(checkpoint: dict) -> torch.Tensor:
    """Running means of the gradients of all parameters, which AdamW keeps."""
    return torch.cat([state["exp_avg"].flatten() for state in checkpoint["state"]["optimiser"]["state"].values()])


def test_two_processes_train_as_one_with_the_double_batch(tmp_path):
    alone, lines = train(tmp_path / "alone", [])
    together, lines_together = train(tmp_path / "together", TOGETHER)
    # One set of reports, not two; losses are means over the processes.
    assert [line["kind"] for line in lines_together] == ["validation", "train", "train", "train", "validation"]
    for one, two in zip(lines, lines_together, strict=True):
        names = {"loss", "full", "occlusion", "semantic", "gradient", "epe"} & set(one)
        assert {name: two[name] for name in names} == pytest.approx({name: one[name] for name in names}, rel=1e-4)
    gradients, gradients_together = (mean_gradients(run) for run in (alone, together))
    assert gradients.norm() > 0.01
    assert (gradients - gradients_together).norm() < 1e-4 * gradients.norm()
    for name, value in alone["weights"].items():
        torch.testing.assert_close(together["weights"][name], value, rtol=1e-4, atol=1e-6)


def test_two_processes_take_turns_as_one_though_a_loss_leaves_a_head_out(tmp_path):
    for index in range(4):  # truth of more rows from pair to pair: masks differ between the processes
        image = np.random.default_rng(index).integers(0, 256, (16, 24, 3), dtype=np.uint8)
        truth, zeros = np.full((16, 24), 4 + index, np.float32), np.zeros((16, 24), np.uint16)
        truth[4 * index :] = 0
        write_frame(tmp_path / "pairs", index, TrueFrame(image, image[:, ::-1], truth, zeros.astype(np.uint8), zeros))
    pairs = ["dataset=plain", f"root={tmp_path / 'pairs'}", "batch=2", "height=16", "width=24", "augmented=false"]
    overrides = [f"{section}.{text}" for section in ("data", "unlabelled") for text in pairs]
    overrides += ["network={name='tiny'}", "loss.objective=tiny_truth", "unlabelled.objective=tiny_images"]
    overrides += ["validation.dataset=plain", f"validation.root={tmp_path / 'pairs'}", "optimiser.batch_norm='frozen'"]
    overrides += ["schedule.steps=5", "log.every_steps=1", "log.tensorboard=false"]
    (alone, lines), (together, lines_together) = (
        train(tmp_path / name, launcher, overrides, "tiny_network")
        for name, launcher in (("alone", []), ("together", TOGETHER))
    )
    assert [line["kind"] for line in lines_together[1:-1]] == ["train", "unlabelled"] * 2 + ["train"]
    for one, two in zip(lines, lines_together, strict=True):
        names = {"loss", "truth", "pull", "images", "gradient", "epe"} & set(one)
        assert {name: two[name] for name in names} == pytest.approx({name: one[name] for name in names}, rel=1e-5)
    assert together["state"]["positions"] == {"train": 3, "unlabelled": 2}
    for name, value in alone["weights"].items():
        torch.testing.assert_close(together["weights"][name], value, rtol=1e-5, atol=1e-7)
    # Adam counts the steps of each parameter: the head without a gradient was left alone in unlabelled turns.
    counts = {int(state["step"]) for state in together["state"]["optimiser"]["state"].values()}
    assert counts == {3, 5}
