# SPDX-License-Identifier: Apache-2.0
"""CPU time of zoo networks by outputs and session options, beside StereoSGBM, interleaved in one run.

Every row takes its turn in each round, so that drift of the machine meets all rows alike; medians and
fastest rounds with their ratios to SGBM 3-way with 192 levels are printed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from depth_runtime.onnx_file import read_spec
from depth_runtime.zoo import resolve_model
from depth_training.evaluation.sgbm import make_sgbm

MOST_USED = ("disparity", "confidence", "semantic")


def pair(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A random texture 12 px away, uint8 [H, W, 3] each."""
    coarse = np.random.default_rng(0).integers(0, 256, (height // 4, (width + 12) // 4, 3), np.uint8)
    wide = cv2.resize(coarse, (width + 12, height), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(wide[:, :width]), np.ascontiguousarray(wide[:, 12:])


def network(path: str, feed: dict[str, np.ndarray], outputs: tuple[str, ...], threads: int, **config: str) -> Callable:
    """One run of a session with these outputs and session config entries."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    for key, value in config.items():
        options.add_session_config_entry("session." + key.replace("__", "."), value)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    run_options = onnxruntime.RunOptions()
    run_options.only_execute_path_to_fetches = True
    return lambda: session.run(outputs, feed, run_options)


def sgbm(left: np.ndarray, right: np.ndarray) -> Callable:
    """StereoSGBM on grey images."""
    matcher = make_sgbm()
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (left, right)]
    return lambda: matcher.compute(*grey)


def rows_of(model: str, feed: dict[str, np.ndarray], threads: int) -> dict[str, Callable]:
    """A network by what is fetched from it, and once as ONNX Runtime would run it by default."""
    path, name = str(resolve_model(model)), Path(model).stem
    quiet = {"intra_op__allow_spinning": "0", "set_denormal_as_zero": "1"}
    outputs = tuple(read_spec(path).outputs)
    return {
        f"{name}, all outputs": network(path, feed, outputs, threads, **quiet),
        f"{name}, {' + '.join(MOST_USED)}": network(path, feed, MOST_USED, threads, **quiet),
        f"{name}, disparity only": network(path, feed, ("disparity",), threads, **quiet),
        f"{name}, all outputs, ONNX Runtime's defaults (spinning threads)": network(path, feed, outputs, threads),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", help="zoo name or ONNX file; repeatable, default stereo_s")
    parser.add_argument("--size", default="640x384", help="WIDTHxHEIGHT")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=25)
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    cv2.setNumThreads(arguments.threads)
    left, right = pair(height, width)
    feed = {"left": left[None], "right": right[None]}
    rows = {"SGBM 3-way, 192 levels": sgbm(left, right)}
    models = arguments.model or ["stereo_s"]
    for model in models:
        rows |= rows_of(model, feed, arguments.threads)
    times: dict[str, list[float]] = {name: [] for name in rows}
    for round_number in range(arguments.rounds + 1):
        for name, run in rows.items():
            start = time.perf_counter()
            run()
            if round_number:  # the first round warms up
                times[name].append((time.perf_counter() - start) * 1e3)
    base = np.median(times["SGBM 3-way, 192 levels"])
    print(f"{', '.join(models)}, {arguments.size}, {arguments.threads} threads, {arguments.rounds} rounds\n")
    print("| what | median ms | ratio to SGBM | fastest ms | ratio |\n| --- | --: | --: | --: | --: |")
    fastest = min(times["SGBM 3-way, 192 levels"])
    for name, ms in times.items():
        print(
            f"| {name} | {np.median(ms):.1f} | {np.median(ms) / base:.1f} | {min(ms):.1f} | {min(ms) / fastest:.1f} |"
        )


if __name__ == "__main__":
    main()
