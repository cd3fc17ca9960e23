# SPDX-License-Identifier: Apache-2.0
"""`quantize`: contract ONNX file -> the same in INT8, calibrated on pairs and gated on others with truth."""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

from depth_runtime.command_line import path_argument
from depth_runtime.zoo import resolve_model

from .int8_gate import Gate
from .int8_graph import INT8_FORMATS
from .pairs import PairFiles, read_pairs, spread
from .quantize import quantize_file

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Quantisation:
    """On which pairs is quantised, and what that may cost; see `add_gate`."""

    calibration: Path
    held_out: Path | None
    count: int
    gate: Gate
    threads: int


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--model", required=True, help="zoo name or contract file to quantise")
    parser.add_argument("--out", type=path_argument, required=True, help="ONNX file to write")
    parser.add_argument(
        "--target", choices=INT8_FORMATS, default="cpu", help="who reads the file: ONNX Runtime or TensorRT"
    )
    add_gate(parser, required=True)


def add_gate(parser: argparse.ArgumentParser, required: bool) -> None:
    """Arguments that say on which pairs is quantised, and what it may cost."""
    gate = Gate()
    pairs = "folder with left/, right/, disparity/ or CSV list with the columns left, right, disparity"
    parser.add_argument(
        "--calibration", type=path_argument, required=required, help=f"pairs that give INT8 its ranges: {pairs}"
    )
    parser.add_argument(
        "--held-out", type=path_argument, help="other pairs, with truth (default: every fourth calibration pair)"
    )
    parser.add_argument("--count", type=int, default=24, help="calibration pairs at most, evenly from the list")
    parser.add_argument("--max-loss", type=float, default=gate.epe_percent, help="gate: loss of EPE in %%")
    parser.add_argument("--max-semantic", type=float, default=gate.semantic_percent, help="gate: changed classes in %%")
    parser.add_argument("--max-drift", type=float, default=gate.drift_px, help="px; a part that drifts more stays FP32")
    parser.add_argument("--keep", action="append", default=[], metavar="PART", help="this part stays FP32; repeatable")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads of the measurement")


def quantisation_of(arguments: argparse.Namespace) -> Quantisation:
    """What the arguments of `add_gate` say."""
    gate = Gate(arguments.max_loss, arguments.max_semantic, arguments.max_drift, keep=tuple(arguments.keep))
    return Quantisation(arguments.calibration, arguments.held_out, arguments.count, gate, arguments.threads)


def run(arguments: argparse.Namespace) -> None:
    """Quantise and print what lost how much."""
    quantize_model(resolve_model(arguments.model), arguments.out, arguments.target, quantisation_of(arguments))


def quantize_model(source: Path, out: Path, target: str, wish: Quantisation) -> None:
    """Write the INT8 version of a contract file for a key of INT8_FORMATS. Raises as `quantize_file` and `split` do."""
    calibration, held_out = split(read_pairs(wish.calibration), wish.held_out)
    pairs = spread(calibration, wish.count)
    quantize_file(source, out, pairs, held_out, wish.gate, wish.threads, target)
    sizes = [path.stat().st_size / 1e6 for path in (source, out)]
    log.info("%s: %.2f MB, was %.2f MB", out, sizes[1], sizes[0])


def split(pairs: list[PairFiles], held_out: Path | None) -> tuple[list[PairFiles], list[PairFiles]]:
    """Calibration pairs and held-out pairs with truth, without overlap. Raises ValueError when one of them is empty."""
    calibration = pairs if held_out else [pair for i, pair in enumerate(pairs) if i % 4 != 3]
    others = read_pairs(held_out) if held_out else pairs[3::4]
    known = {pair.left_path.resolve() for pair in calibration}
    others = [pair for pair in others if pair.disparity_path and pair.left_path.resolve() not in known]
    if not others or not calibration:
        raise ValueError(
            f"expected held-out pairs with a true disparity, got none among {len(pairs)} pairs; "
            "give --held-out FOLDER, for example of `python -m depth_training render`"
        )
    return calibration, others
