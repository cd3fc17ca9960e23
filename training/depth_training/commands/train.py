# SPDX-License-Identifier: Apache-2.0
"""Train a stereo network by a recipe. OUT receives last.pt (checkpoint), weights.pt (averaged, FP16, for export),
metrics.json, log.jsonl and tensorboard/.

A run may be stopped at any time and continued with --resume: by SIGTERM or SIGINT (Ctrl-C), after which it saves and
ends well, or by --minutes, so that several time boxes in a row make one run. Start it with torchrun to use several GPUs
or machines.
"""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path

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
    log.info("training by %s into %s", arguments.config, arguments.out)
    # torch takes seconds to import, in which a user should know what is going on.
    from ..core.strict_config import read_config
    from ..engine.config import TrainConfig
    from ..engine.run import train

    config = read_config(TrainConfig, arguments.config, arguments.set)
    train(config, arguments.out, box_end, arguments.resume, arguments.threads)
