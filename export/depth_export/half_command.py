# SPDX-License-Identifier: Apache-2.0
"""`halve`: contract ONNX file -> the same in FP16, which every TensorRT computes as typed, behind a parity gate."""

from __future__ import annotations

import argparse
import logging
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from depth_runtime.onnx_file import read_spec
from depth_runtime.spec import METADATA_KEY
from depth_runtime.zoo import resolve_model

from .graph import save
from .half import halve
from .matched_pair import matched_pair
from .parity import ParityError

log = logging.getLogger(__name__)

SIZES = ((192, 320), (384, 640))
# Largest accepted mean difference of each output from FP32; "outliers" is the share of pixels more than 1 px away.
LIMITS = {
    "disparity": 0.02,
    "outliers": 0.002,
    "confidence": 0.002,
    "semantic": 0.02,
    "instance_center": 0.002,
    "instance_offset": 0.1,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--model", required=True, help="zoo name or contract file in FP32")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")


def run(arguments: argparse.Namespace) -> None:
    """Write the file and print how far its answers are from those of FP32."""
    for name, value in halve_file(resolve_model(arguments.model), arguments.out).items():
        log.info("  %-16s differs from FP32 by %.2g on average", name, value)
    log.info("%s: %.2f MB", arguments.out, arguments.out.stat().st_size / 1e6)


def halve_file(source: Path, path: Path) -> dict[str, float]:
    """Write the FP16 twin of a stereo contract file and return its mean differences by the names of LIMITS.

    Raises ParityError, and leaves `path` as it was, when one is above its limit or not a number.
    """
    spec = read_spec(source)
    spec = replace(spec, training=spec.training | {"precision": "fp16, halved after training"})
    model = halve(source.read_bytes())
    onnx.helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        save(model, temporary)
        means = compare(source, temporary, list(spec.outputs))
        for name, value in means.items():
            if not value <= LIMITS[name]:
                raise ParityError(
                    f"expected '{name}' within {LIMITS[name]} of FP32 on average, got {value:.4f}; nothing was "
                    "written: keep the operators that overflow in FP32 (depth_export/half.py)"
                )
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return means


def compare(reference: Path, other: Path, outputs: list[str]) -> dict[str, float]:
    """Worst mean difference over SIZES by output, and "outliers"; each operator rounds as the file says."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # With optimisations ONNX Runtime would drop the casts around FP16 operators, and with them the rounding.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    sessions = [onnxruntime.InferenceSession(str(path), options) for path in (reference, other)]
    worst = dict.fromkeys((*outputs, "outliers"), 0.0)
    for seed, (height, width) in enumerate(SIZES):
        pair = matched_pair(height, width, seed)
        feed = {"left": pair.left[None], "right": pair.right[None]}
        for name, wanted, got in zip(outputs, *(session.run(outputs, feed) for session in sessions), strict=True):
            distance = np.abs(got.astype(np.float64) - wanted)
            mean = (got != wanted).mean() if name == "semantic" else distance.mean()
            worst[name] = float(np.maximum(worst[name], mean))  # keeps NaN, which max() may lose
            if name == "disparity":
                worst["outliers"] = max(worst["outliers"], float((distance > 1).mean()))
    return worst
