# SPDX-License-Identifier: Apache-2.0
"""`export`: weights file -> contract ONNX file, behind the parity gate."""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

from depth_models import count_cost, git_revision, load_weights, names, network_spec
from depth_models.network import DEFAULT_SIZE
from depth_runtime.plan import parse_size

from .contract import Contract
from .export import export_contract

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_source(parser)
    parser.add_argument("--network", choices=names(), required=True, help="network that the weights must belong to")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")


def add_source(parser: argparse.ArgumentParser) -> None:
    """Arguments that say what is exported, and under which name."""
    parser.add_argument("--weights", type=Path, required=True, help="file of depth_models.save_weights")
    parser.add_argument("--name", help="name in the spec [that of the network]")
    parser.add_argument("--version", default="1", help="version of the trained network")
    parser.add_argument("--metrics", type=Path, help="JSON file of figures for the spec")
    parser.add_argument(
        "--default-size",
        default="default",
        metavar="WIDTHxHEIGHT",
        help="size that the network answers best, for the spec [640x384]",
    )


def run(arguments: argparse.Namespace) -> None:
    """Export and report size and parity. Raises ValueError when weights and network do not belong together."""
    _, network, _ = load_weights(arguments.weights)
    if network != arguments.network:
        raise ValueError(f"expected weights of '{arguments.network}', got '{network}'; give the right weights file")
    export_weights(arguments, arguments.out)


def export_weights(arguments: argparse.Namespace, path: Path) -> None:
    """Write the contract file of the weights that the arguments of `add_source` name.

    Raises ValueError for a file that holds no weights, ParityError when the graph does not answer like the network.
    """
    network, name, facts = load_weights(arguments.weights)
    size = parse_size(arguments.default_size, DEFAULT_SIZE) or DEFAULT_SIZE
    cost = count_cost(network, *size)
    metrics = json.loads(arguments.metrics.read_text()) if arguments.metrics else {}
    metrics |= {"gmacs_at_default_size": round(cost.gmacs, 2), "parameters": cost.parameters}
    training = dict(facts) | {"git_revision": git_revision()}
    spec = network_spec(network, arguments.name or name, arguments.version, training, metrics, size)
    worst = export_contract(Contract(network), spec, path)
    log.info("%s: %.2f MB", path, path.stat().st_size / 1e6)
    for output, value in worst.items():
        log.info("  %-16s differs from torch by at most %.2g", output, value)
