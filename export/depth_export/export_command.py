# SPDX-License-Identifier: Apache-2.0
"""`export`: weights file -> contract ONNX file, behind the parity gate."""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

from depth_models import count_cost, git_revision, load_weights, network_spec
from depth_models.network import DEFAULT_SIZE
from depth_runtime.command_line import path_argument, size_argument
from depth_runtime.files.reading import read_json

from .contract import Contract
from .export import export_contract

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WeightsSource:
    """Weights to export and what their spec says beside them; see `add_source`."""

    weights: Path
    name: str | None = None
    version: str = "1"
    metrics: Path | None = None
    default_size: tuple[int, int] = DEFAULT_SIZE


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_source(parser)
    parser.add_argument("--out", type=path_argument, required=True, help="ONNX file to write")


def add_source(parser: argparse.ArgumentParser) -> None:
    """Arguments that say what is exported, and under which name."""
    parser.add_argument("--weights", type=path_argument, required=True, help="file of depth_models.save_weights")
    parser.add_argument("--name", help="name in the spec (default: that of the network)")
    parser.add_argument("--network-version", default=WeightsSource.version, help="of the trained network, for the spec")
    parser.add_argument("--metrics", type=path_argument, help="JSON file of figures for the spec")
    parser.add_argument(
        "--default-size",
        type=size_argument,
        default=DEFAULT_SIZE,
        metavar="WIDTHxHEIGHT",
        help=f"size at which the network is best, for the spec (default: {DEFAULT_SIZE[1]}x{DEFAULT_SIZE[0]})",
    )


def source_of(arguments: argparse.Namespace) -> WeightsSource:
    """What the arguments of `add_source` say."""
    return WeightsSource(
        arguments.weights, arguments.name, arguments.network_version, arguments.metrics, arguments.default_size
    )


def run(arguments: argparse.Namespace) -> None:
    """Export and report size and parity."""
    export_weights(source_of(arguments), arguments.out)


def export_weights(source: WeightsSource, path: Path) -> None:
    """Write the contract file of a weights file.

    Raises ValueError for a file that holds no weights, ParityError when the graph does not predict like the network.
    """
    network, name, metadata = load_weights(source.weights)
    cost = count_cost(network, *source.default_size)
    metrics = read_json(source.metrics) if source.metrics else {}
    metrics |= {"gmacs_at_default_size": round(cost.gmacs, 2), "parameters": cost.parameters}
    training = dict(metadata) | {"git_revision": git_revision()}
    spec = network_spec(network, source.name or name, source.version, training, metrics, source.default_size)
    worst = export_contract(Contract(network), spec, path)
    log.info("%s: %.2f MB", path, path.stat().st_size / 1e6)
    for output, value in worst.items():
        log.info("  %-16s differs from torch by at most %.2g", output, value)
