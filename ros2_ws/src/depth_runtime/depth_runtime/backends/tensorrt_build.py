# SPDX-License-Identifier: Apache-2.0
"""From a contract ONNX file to a serialized TensorRT engine of one input size."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..onnx_file import read_spec, sha256
from .base import BackendError, check_names
from .cuda_runtime import Gpu, cuda_missing
from .engine_cache import EngineCache, EngineKey
from .plain_weights import plain_weights, precision_of
from .tensorrt_api import TensorRt

log = logging.getLogger(__name__)

REPORT_S = 5.0
ANY_GPU = "any"
# Options of the builder; they are part of the cache key.
SETTINGS = {"workspace_mib": 2048}
_RGB = 3


def engine_key(api: TensorRt, path: Path, size: tuple[int, int], gpu: Gpu) -> EngineKey:
    """Cache key of a file's engine for inputs of size (height, width) on a GPU. Raises SpecError for a foreign file."""
    spec = read_spec(path)
    return EngineKey(
        model=spec.name,
        onnx_sha256=sha256(path),
        flavour=api.flavour,
        version=api.version,
        gpu=ANY_GPU if api.portable else gpu.name,
        capability=gpu.capability,
        precision=precision_of(plain_weights(Path(path).read_bytes())),
        shapes=dict.fromkeys(spec.inputs, (1, *size, _RGB)),
        settings=dict(SETTINGS),
    )


def cached_engine(api: TensorRt, path: Path, key: EngineKey, cache: EngineCache) -> bytes:
    """The engine of a key, from the cache or built from the file at path. Raises BackendError when that fails."""
    return cache.get_or_build(key, lambda: build_engine(api, path, key))


def build_engine(api: TensorRt, path: Path, key: EngineKey) -> bytes:
    """Build the engine that a key describes.

    Progress is logged every few seconds. Raises BackendError with the library's own words when the file cannot be
    parsed or built.
    """
    if not api.portable and (missing := cuda_missing()):
        raise BackendError(f"{api.flavour} builds engines on the GPU that runs them, but {missing}")
    words = api.logger()
    builder = api.trt.Builder(words)
    network = api.create_network(builder)
    parser = api.trt.OnnxParser(network, words)
    if not parser.parse(plain_weights(path.read_bytes())):
        reasons = "; ".join([*words.errors[:1], *(parser.get_error(i).desc() for i in range(parser.num_errors))])
        for_cpus = "an INT8 file for CPUs? quantize with --target tensorrt, or take FP32 or FP16"
        remedy = for_cpus if key.precision == "int8" else "export the network again"
        raise BackendError(f"{api.flavour} {api.version} cannot parse {path}: {reasons}; {remedy}")
    inputs = [network.get_input(i) for i in range(network.num_inputs)]
    outputs = [network.get_output(i).name for i in range(network.num_outputs)]
    check_names(read_spec(path), [tensor.name for tensor in inputs], outputs, path)
    for tensor in inputs:
        tensor.shape = key.shapes[tensor.name]
    config = builder.create_builder_config()
    config.set_memory_pool_limit(api.trt.MemoryPoolType.WORKSPACE, key.settings["workspace_mib"] << 20)
    api.set_precision(config, key.precision)
    api.set_target(config, key.capability)
    start = time.monotonic()
    with _progress(api, config, key):
        plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise BackendError(
            f"{api.flavour} {api.version} cannot build {key.stem}: {'; '.join(words.errors) or 'no reason given'}"
        )
    log.info("built %s in %.1f s", key.stem, time.monotonic() - start)
    return bytes(memoryview(plan))


@contextlib.contextmanager
def _progress(api: TensorRt, config: Any, key: EngineKey) -> Iterator[None]:
    """Log that the build runs, and at which phase where the library tells."""
    start, done, phase = time.monotonic(), threading.Event(), [""]
    if hasattr(api.trt, "IProgressMonitor"):
        config.progress_monitor = _phase_monitor(api.trt, phase)

    def report() -> None:
        while not done.wait(REPORT_S):
            log.info("building %s: %.0f s %s", key.stem, time.monotonic() - start, phase[0])

    log.info("building %s with %s %s; this can take minutes", key.stem, api.flavour, api.version)
    thread = threading.Thread(target=report, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _phase_monitor(trt: Any, phase: list[str]) -> Any:
    """A progress monitor that keeps the name and step of the latest phase in phase[0]."""

    class BuildMonitor(trt.IProgressMonitor):
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._steps: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self._steps[phase_name] = num_steps

        def step_complete(self, phase_name: str, step: int) -> bool:
            phase[0] = f"({phase_name}, {step + 1} of {self._steps.get(phase_name, 0)})"
            return True

        def phase_finish(self, phase_name: str) -> None:
            self._steps.pop(phase_name, None)

    return BuildMonitor()
