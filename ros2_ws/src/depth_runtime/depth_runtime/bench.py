# SPDX-License-Identifier: Apache-2.0
"""`bench`: time backends and networks against each other, taking turns in one run so that drift meets all alike."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from .backends import Backend, available_backends, make_backend
from .command_line import path_argument
from .plan import parse_size
from .tables import json_text, markdown_table
from .zoo import resolve_model

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one model on one backend; ratio is its median over the first row's."""

    model: str
    backend: str
    device: str
    p50_ms: float
    p95_ms: float
    p99_ms: float
    ratio: float


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "--model", action="append", help="zoo name or contract ONNX file; repeatable (default: stereo_s)"
    )
    parser.add_argument("--backend", action="append", help="repeatable (default: all that can run here)")
    parser.add_argument("--size", default="default", help="network input: WIDTHxHEIGHT, or default = the model's own")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 = one for each core")
    parser.add_argument(
        "--cache", type=path_argument, help="folder of built engines (default: ~/.cache/depth_stack/engines)"
    )
    parser.add_argument("--output", action="append", help="output to compute; repeatable (default: all)")
    parser.add_argument("--rounds", type=int, default=30, help="timed runs of each model and backend")
    parser.add_argument("--json", type=path_argument, help="also write the figures to this file")


def run(arguments: argparse.Namespace) -> None:
    """Time models on backends and print a table. Raises BackendError when one that was named cannot run."""
    models = arguments.model or ["stereo_s"]
    loaded = open_backends(models, arguments.backend, arguments.threads, arguments.cache or "")
    log.info("%s, %d rounds\n", arguments.size, arguments.rounds)
    timings = time_backends(loaded, arguments.size, arguments.output, arguments.rounds)
    header = ("model", "backend", "p50 ms", "p95 ms", "p99 ms", "ratio")
    rows = [(t.model, t.device, *(f"{x:.2f}" for x in (t.p50_ms, t.p95_ms, t.p99_ms, t.ratio))) for t in timings]
    log.info("%s", markdown_table(header, rows, text_columns=(0, 1)))
    if arguments.json:
        arguments.json.write_text(json_text([asdict(timing) for timing in timings]))


def open_backends(
    models: Sequence[str], backends: Sequence[str] | None = None, threads: int = 0, cache: str | Path = ""
) -> list[tuple[str, Backend]]:
    """Every model on every backend (None: all that can run here), named by the model's file.

    Raises ValueError when none can run, or one that was named cannot.
    """
    reasons = available_backends()
    for name, reason in reasons.items():
        if reason and not backends:
            log.info("without %s: %s", name, reason)
    names = backends or [name for name, reason in reasons.items() if not reason]
    if not names:
        raise ValueError(f"expected a backend that can run here, got none: {reasons}")
    loaded = []
    for model in models:
        for name in names:
            backend = make_backend(resolve_model(model), name, threads, cache)
            if backend.fallback_reason:
                raise ValueError(f"expected backends that run here, got '{name}': {backend.fallback_reason}")
            loaded.append((Path(model).stem, backend))
    return loaded


def time_backends(loaded: list[tuple[str, Backend]], size: str, outputs: list[str] | None, rounds: int) -> list[Timing]:
    """Timings in the order of `loaded`, on a pair of random texture.

    One call is upload, network and download of the outputs; the first three rounds are not counted.
    """
    jobs = []
    for _, backend in loaded:
        if unknown := set(outputs or ()) - set(backend.spec.outputs):
            raise ValueError(f"expected outputs among {list(backend.spec.outputs)}, got {sorted(unknown)}")
        height, width = parse_size(size, backend.spec.default_size) or backend.spec.default_size
        buffers = backend.prepare((height, width))
        for image in buffers.values():
            image[0] = texture(height, width)
        jobs.append((backend, outputs or list(backend.spec.outputs)))
    times = np.empty((rounds + 3, len(jobs)))
    for row in times:
        for column, (backend, names) in enumerate(jobs):
            start = time.perf_counter()
            backend.infer(names)
            row[column] = (time.perf_counter() - start) * 1e3
    p50, p95, p99 = np.percentile(times[3:], (50, 95, 99), axis=0)
    return [
        Timing(model, backend.name, backend.device, float(a), float(b), float(c), ratio=float(a / p50[0]))
        for (model, backend), a, b, c in zip(loaded, p50, p95, p99, strict=True)
    ]


def texture(height: int, width: int) -> np.ndarray:
    """Random blobs of a few pixels, uint8 [H, W, 3]; the same at every call."""
    coarse = np.random.default_rng(0).integers(0, 256, (-(-height // 4), -(-width // 4), 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
