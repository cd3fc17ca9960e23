# SPDX-License-Identifier: Apache-2.0
"""A whole run: from a recipe to a folder with its checkpoint, weights and metrics."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from depth_models import git_revision, save_weights, without_folders

from ..core.distributed import joined_processes
from .config import TrainConfig
from .network_setup import checked_config
from .run_data import RunData, data_names
from .trainer import Trainer


def train(
    config: TrainConfig, out: Path, box_end: float = float("inf"), resume: bool = False, threads: int = 0
) -> None:
    """Train until the schedule is done or, of time.monotonic(), `box_end` is reached; then write weights and metrics.

    resume: continue from out/last.pt where it exists; threads: of torch on the CPU, 0 = its own choice. Raises
    ValueError for a run in `out` that is not resumed, and for data that the recipe cannot learn from;
    KeyboardInterrupt, when all is written, where Ctrl-C stopped it: what would be done with a trained network must not
    follow.
    """
    if threads:
        torch.set_num_threads(threads)
    if torch.cuda.is_available():
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "last.pt"
    if checkpoint.exists() and not resume:
        raise ValueError(f"expected no run in {out}, got {checkpoint}; add --resume or use another --out")
    with joined_processes() as processes:
        data = RunData(config, processes)
        data.check()
        trainer = Trainer(config, data.source(), processes, data.unlabelled())
        if checkpoint.exists():
            trainer.resume(checkpoint)
        finished = trainer.run(out, data.validation(trainer.network.size_multiple), box_end)
    if processes.is_first:
        write_results(trainer, out)
        processes.tell("finished" if finished else f"stopped at step {trainer.step}: continue with --resume")
    if trainer.stopped_by == "SIGINT":
        raise KeyboardInterrupt


def write_results(trainer: Trainer, folder: Path) -> None:
    """weights.pt with the metadata that the exported file will carry, and metrics.json.

    What the file of network.start_weights says of its own training comes along: a chain of runs is told in full.
    """
    network, config = trainer.config.network, asdict(trainer.config)
    metadata = {"recipe": without_folders(config), "steps": trainer.step, "minutes": round(trainer.used_s / 60, 2)}
    metadata |= {"data": data_names(trainer.config), "trained_at_revision": git_revision()}
    if trainer.started_from:
        metadata["started_from"] = trainer.started_from
    network_config = checked_config(network.name, network.config)
    save_weights(folder / "weights.pt", network.name, trainer.ema.network, network_config, **metadata)
    metrics = {"validation": trainer.scores, "steps": trainer.step, "progress": trainer.progress}
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1))
