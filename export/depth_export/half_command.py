# SPDX-License-Identifier: Apache-2.0
"""`halve`: contract ONNX file -> the same in FP16, which every TensorRT computes as typed, behind a parity gate."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from depth_runtime.backends.plain_weights import plain_weights, precision_of
from depth_runtime.command_line import path_argument
from depth_runtime.files.atomic import replacing
from depth_runtime.onnx_file import read_spec, sha256
from depth_runtime.spec import METADATA_KEY, ModelSpec
from depth_runtime.zoo import resolve_model

from .graph import save
from .half import halve
from .parity import ParityError, matched_feeds, relative_depth_errors

log = logging.getLogger(__name__)

SIZES = ((192, 320), (384, 640))
# Disparity and relative depth are gated for all but one in a thousand pixels: at depth edges a last bit may decide
# which surface wins (docs/decisions.md).
PERCENTILE = 99.9
# Largest accepted differences from FP32; outputs without a percentile: the mean, of classes the fraction that changes.
LIMITS = {
    "disparity": 0.02,
    "disparity p99.9": 0.25,
    "relative_depth p99.9": 0.02,
    "confidence": 0.002,
    "semantic": 0.02,
    "instance_center": 0.002,
    "instance_offset": 0.1,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--model", required=True, help="zoo name or contract file in FP32")
    parser.add_argument("--out", type=path_argument, required=True, help="ONNX file to write")
    add_gate(parser)


def add_gate(parser: argparse.ArgumentParser) -> None:
    """Argument that says how far FP16 may be from FP32."""
    parser.add_argument("--half-slack", type=float, default=1.0, help="factor of all limits of the FP16 gate")


def run(arguments: argparse.Namespace) -> None:
    """Write the file and print how far its predictions are from those of FP32."""
    worst = halve_file(resolve_model(arguments.model), arguments.out, arguments.half_slack)
    for name, value in worst.items():
        log.info("  %-20s differs from FP32 by %.2g", name, value)
    log.info("%s: %.2f MB", arguments.out, arguments.out.stat().st_size / 1e6)


def halve_file(source: Path, path: Path, slack: float = 1.0) -> dict[str, float]:
    """Write the FP16 twin of a contract file and return its differences by the names of LIMITS.

    slack: factor of all limits. Raises ParityError, and leaves `path` as it was, when a difference is above its limit
    or not a number, ValueError when the source is not in FP32.
    """
    spec = read_spec(source)
    precision = precision_of(plain_weights(source.read_bytes()))
    if precision != "fp32":
        raise ValueError(f"expected a file in FP32, got {source} in {precision}; give the file that it was made of")
    model = halve(source.read_bytes())
    metadata = {"precision": "fp16, halved after training", "source": source.name, "source_sha256": sha256(source)}
    spec = replace(spec, training=spec.training | metadata)
    onnx.helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    with replacing(path) as temporary:
        save(model, temporary)
        worst = compare(source, temporary, spec)
        _check(worst, slack)
    return worst


def _check(worst: dict[str, float], slack: float) -> None:
    for name, value in worst.items():
        if not value <= slack * LIMITS[name]:
            raise ParityError(
                f"expected '{name}' within {slack * LIMITS[name]:g} of FP32, got {value:.4f}; nothing was written: "
                "keep the operators that overflow in FP32 (depth_export/half.py)"
            )


def compare(reference: Path, other: Path, spec: ModelSpec) -> dict[str, float]:
    """Worst differences over SIZES by the names of LIMITS; each operator rounds as the file says."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # With optimisations ONNX Runtime would drop the casts around FP16 operators, and with them the rounding.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    sessions = [onnxruntime.InferenceSession(str(path), options) for path in (reference, other)]
    outputs = list(spec.outputs)
    worst: dict[str, float] = {}
    for feed in matched_feeds(SIZES, spec):
        wanted, predictions = (dict(zip(outputs, session.run(outputs, feed), strict=True)) for session in sessions)
        for name, value in differences(predictions, wanted).items():
            worst[name] = float(np.maximum(worst.get(name, 0.0), value))  # keeps NaN, which max() may lose
    return worst


def differences(predictions: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> dict[str, float]:
    """Differences of the outputs by the names of LIMITS."""
    result = {}
    for name, value in wanted.items():
        distance = np.abs(predictions[name].astype(np.float64) - value)
        if name == "depth":
            result["relative_depth p99.9"] = float(np.percentile(distance / np.abs(value), PERCENTILE))
            continue
        result[name] = float((predictions[name] != value).mean() if name == "semantic" else distance.mean())
        if name == "disparity":
            depth = relative_depth_errors(predictions[name], value)
            result["disparity p99.9"] = float(np.percentile(distance, PERCENTILE))
            result["relative_depth p99.9"] = float(np.percentile(depth, PERCENTILE)) if depth.size else 0.0
    return result
