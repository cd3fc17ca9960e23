# SPDX-License-Identifier: Apache-2.0
"""The mean of the weights of several trainings that began with the same weights, mostly better than each of them."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from depth_models import average_weights

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("weights", type=Path, nargs="+", help="two or more weights.pt of one network")
    parser.add_argument("--out", type=Path, required=True, help="weights file to write")


def run(arguments: argparse.Namespace) -> None:
    """Average and write."""
    average_weights(arguments.weights, arguments.out)
    log.info("%s: mean of %d", arguments.out, len(arguments.weights))
