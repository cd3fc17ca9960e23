# SPDX-License-Identifier: Apache-2.0
"""Accuracy of an FP16 file beside the FP32 one on pairs with truth, every operator rounding as the file says.

ONNX Runtime's optimisations, with which the runtime works, drop most of the rounding on a CPU; here they are off, as
in the gate of `depth_export halve`, so that the figures are what a GPU's FP16 can be expected to give.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path

import numpy as np
import onnxruntime
from depth_export.pairs import PairFiles, read_pairs
from depth_runtime.metrics import disparity_errors
from depth_runtime.onnx_file import read_spec
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.zoo import resolve_model

FIGURES = ("epe", "d1", "bad2")


class TypedBackend:
    """A session without optimisations, as a depth_runtime.backends.Backend."""

    name = device = "onnxruntime without optimisations"
    fallback_reason = ""

    def __init__(self, path: Path, threads: int) -> None:
        self.spec = read_spec(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._inputs: dict[str, np.ndarray] = {}

    def prepare(self, size: tuple[int, int]) -> dict[str, np.ndarray]:
        """See Backend.prepare."""
        self._inputs = {name: np.zeros((1, *size, 3), np.uint8) for name in self.spec.inputs}
        return self._inputs

    def infer(self, outputs: Collection[str]) -> dict[str, np.ndarray]:
        """See Backend.infer."""
        names = list(outputs)
        return dict(zip(names, self._session.run(names, self._inputs), strict=True))


def figures(pipeline: StereoPipeline, pair: PairFiles) -> list[float]:
    """FIGURES of the pipeline's prediction for a pair."""
    truth_px = pair.truth_px(pipeline.backend.spec.max_disparity)
    errors = disparity_errors(pipeline.process(pair.images(), set()).disparity_px, truth_px)
    return [errors[name] for name in FIGURES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="CSV list or folder of pairs with truth")
    parser.add_argument("--model", nargs="+", default=["stereo_s", "stereo_s_fp16"], help="zoo names or ONNX files")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    pipelines = [StereoPipeline(TypedBackend(resolve_model(m), arguments.threads)) for m in arguments.model]
    rows: dict[str, list[list[list[float]]]] = {}
    for pair in read_pairs(arguments.data):
        rows.setdefault(pair.left_path.parent.name, []).append([figures(pipeline, pair) for pipeline in pipelines])
    print("| data set (pairs) | " + " | ".join(f"{figure} {m}" for figure in FIGURES for m in arguments.model) + " |")
    print("| --- |" + " --: |" * (len(FIGURES) * len(pipelines)))
    for name, values in {**rows, "all": [row for group in rows.values() for row in group]}.items():
        means = np.nanmean(values, 0).T.ravel()
        print(f"| {name} ({len(values)}) | " + " | ".join(f"{mean:.3f}" for mean in means) + " |")


if __name__ == "__main__":
    main()
