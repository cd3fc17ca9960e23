# SPDX-License-Identifier: Apache-2.0
"""Train a stereo network by a recipe. OUT receives last.pt (checkpoint), weights.pt (averaged, FP16, for export),
metrics.json, log.jsonl and tensorboard/.

A run may be stopped at any time and continued with --resume: by SIGTERM or SIGINT (Ctrl-C), after which it saves and
ends well, or by --minutes, so that several time boxes in a row make one run. Start it with torchrun to use several GPUs
or machines.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from depth_models import git_revision, save_weights

from ..core.distributed import joined_processes
from ..core.strict_config import read_config
from ..engine.config import TrainConfig
from ..engine.network_setup import checked_config
from ..engine.run_data import RunData, data_names
from ..engine.trainer import Trainer

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--config", type=Path, required=True, help="recipe, for example training/configs/stereo_s.toml")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="replace a value; repeatable"
    )
    parser.add_argument("--minutes", type=float, help="stop training after so many minutes of this call")
    parser.add_argument("--resume", action="store_true", help="continue from OUT/last.pt where it exists")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of torch, 0 = its own choice")


def run(arguments: argparse.Namespace) -> None:
    """Train until the schedule or the time box ends, then write weights and metrics."""
    box_end = float("inf") if arguments.minutes is None else time.monotonic() + 60 * arguments.minutes
    config = read_config(TrainConfig, arguments.config, arguments.set)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if torch.cuda.is_available():
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    arguments.out.mkdir(parents=True, exist_ok=True)
    checkpoint = arguments.out / "last.pt"
    if checkpoint.exists() and not arguments.resume:
        raise ValueError(f"expected no run in {arguments.out}, got {checkpoint}; add --resume or use another --out")
    with joined_processes() as processes:
        data = RunData(config, processes)
        trainer = Trainer(config, data.source(), processes, data.unlabelled())
        if checkpoint.exists():
            trainer.resume(checkpoint)
        finished = trainer.run(arguments.out, data.held_out(trainer.network.size_multiple), box_end)
    if processes.is_first:
        write_results(trainer, arguments.out)
        log.info("finished" if finished else f"stopped at step {trainer.step}: continue with --resume")


def write_results(trainer: Trainer, folder: Path) -> None:
    """weights.pt with the facts that the exported file will carry, and metrics.json."""
    network, config = trainer.config.network, asdict(trainer.config)
    facts = {"recipe": without_folders(config), "steps": trainer.step, "minutes": round(trainer.used_s / 60, 2)}
    facts |= {"data": data_names(trainer.config), "trained_at_revision": git_revision()}
    network_config = checked_config(network.name, network.config)
    save_weights(folder / "weights.pt", network.name, trainer.ema.network, network_config, **facts)
    metrics = {"held_out": trainer.scores, "steps": trainer.step, "progress": trainer.progress}
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1))


def without_folders(value: Any) -> Any:
    """A recipe (plain values) that can be published: of every absolute path only the last name is left."""
    if isinstance(value, dict):
        return {key: without_folders(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(part) for part in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
