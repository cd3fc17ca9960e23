# SPDX-License-Identifier: Apache-2.0
"""Train a stereo network by a recipe. OUT receives last.pt (checkpoint), weights.pt (averaged, FP16, for export),
metrics.json, log.jsonl and tensorboard/.

A run may be stopped at any time and continued with --resume: by SIGTERM or Ctrl-C, after which it saves and ends (with
exit code 0 or 130), or by --minutes, so that several time boxes in a row make one run. Start it with torchrun to use
several GPUs or machines.
"""

from __future__ import annotations

import argparse
import logging
import time

from depth_runtime.command_line import path_argument

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "recipe", type=path_argument, metavar="RECIPE", help="for example training/configs/stereo_s.toml"
    )
    parser.add_argument("--out", type=path_argument, required=True, help="folder for the results")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="replace a value; repeatable"
    )
    parser.add_argument("--minutes", type=float, help="stop training after so many minutes of this call")
    parser.add_argument("--resume", action="store_true", help="continue from OUT/last.pt where it exists")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of torch, 0 = its own choice")


def run(arguments: argparse.Namespace) -> None:
    """Train until the schedule or the time box ends, then write weights and metrics."""
    box_end = float("inf") if arguments.minutes is None else time.monotonic() + 60 * arguments.minutes
    log.info("training by %s into %s", arguments.recipe, arguments.out)
    # torch takes seconds to import, in which a user should know what is going on.
    from ..core.strict_config import read_config
    from ..engine.config import TrainConfig
    from ..engine.run import train

    config = read_config(TrainConfig, arguments.recipe, arguments.set)
    train(config, arguments.out, box_end, arguments.resume, arguments.threads)
