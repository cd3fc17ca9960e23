# SPDX-License-Identifier: Apache-2.0
"""Command line of depth_export."""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

from depth_models import count_cost, git_revision, load_weights, names, stereo_spec
from depth_models.network import DEFAULT_SIZE
from depth_runtime.commands import COMMANDS as RUNTIME_COMMANDS
from depth_runtime.commands import Command, run_commands

from . import half_command, quantize_command
from .contract import StereoContract
from .export import export_contract

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run one command."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s")  # the exporter reports every step
    for name in ("depth_export", "depth_runtime"):
        logging.getLogger(name).setLevel(logging.INFO)
    run_commands("depth_export", __doc__, COMMANDS, arguments)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", type=Path, required=True, help="file of depth_models.save_weights")
    parser.add_argument("--network", choices=names(), required=True, help="network that the weights must belong to")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    parser.add_argument("--version", default="1", help="version of the trained network")
    parser.add_argument("--metrics", type=Path, help="JSON file of figures for the spec")


def run_export(arguments: argparse.Namespace) -> None:
    """Export and report size and parity. Raises ValueError when weights and network do not belong together."""
    network, name, facts = load_weights(arguments.weights)
    if name != arguments.network:
        raise ValueError(f"expected weights of '{arguments.network}', got '{name}'; give the right weights file")
    cost = count_cost(network, *DEFAULT_SIZE)
    metrics = json.loads(arguments.metrics.read_text()) if arguments.metrics else {}
    metrics |= {"gmacs_at_default_size": round(cost.gmacs, 2), "parameters": cost.parameters}
    training = dict(facts) | {"git_revision": git_revision()}
    spec = stereo_spec(network, name, arguments.version, training, metrics)
    worst = export_contract(StereoContract(network), spec, arguments.out)
    log.info("%s: %.2f MB", arguments.out, arguments.out.stat().st_size / 1e6)
    for output, value in worst.items():
        log.info("  %-16s differs from torch by at most %.2g", output, value)


COMMANDS = {
    "export": Command("weights file -> contract ONNX file, behind the parity gate", _configure, run_export),
    "quantize": Command(
        "contract ONNX file -> the same in INT8, behind an accuracy gate",
        quantize_command.configure,
        quantize_command.run,
    ),
    "halve": Command(
        "contract ONNX file -> the same in FP16, behind a parity gate", half_command.configure, half_command.run
    ),
    **RUNTIME_COMMANDS,
}
