# SPDX-License-Identifier: Apache-2.0
"""Backends by name. "auto" takes the first that this machine can run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from ..onnx_file import read_spec
from .base import Backend, BackendError
from .onnxruntime import OnnxRuntimeBackend, cuda_missing, onnxruntime_missing
from .tensorrt import TensorRtBackend, tensorrt_missing

AUTO = "auto"

# In order of preference for "auto": what runs at once comes before what has to build an engine first.
# Name -> (constructor, reason why it cannot run here or "").
_BACKENDS: dict[str, tuple[Callable[..., Backend], Callable[[], str]]] = {
    "onnxruntime-cuda": (
        lambda path, spec, threads, cache: OnnxRuntimeBackend(path, spec, "cuda", threads),
        cuda_missing,
    ),
    "tensorrt": (
        lambda path, spec, threads, cache: TensorRtBackend(path, spec, "tensorrt", cache),
        lambda: tensorrt_missing("tensorrt"),
    ),
    "tensorrt_rtx": (
        lambda path, spec, threads, cache: TensorRtBackend(path, spec, "tensorrt_rtx", cache),
        lambda: tensorrt_missing("tensorrt_rtx"),
    ),
    "onnxruntime-cpu": (
        lambda path, spec, threads, cache: OnnxRuntimeBackend(path, spec, "cpu", threads),
        onnxruntime_missing,
    ),
}
_CPU = "onnxruntime-cpu"


def backend_names() -> list[str]:
    """Every value that a backend setting may have."""
    return [AUTO, *_BACKENDS]


def available_backends() -> dict[str, str]:
    """Backend name -> "" if it can run on this machine, else the reason why not."""
    return {name: missing() for name, (_, missing) in _BACKENDS.items()}


def make_backend(
    model: str | Path, backend: str = AUTO, threads: int = 0, engine_cache_dir: str | Path = ""
) -> Backend:
    """Load an ONNX file into a backend.

    backend: a name of `backend_names()`; threads: CPU threads, 0 = one for each core this process may use;
    engine_cache_dir: folder of TensorRT engines, "" = the user's cache folder. When a GPU backend cannot run here, the
    CPU one is started instead and says so in `fallback_reason`. Raises SpecError for a file that breaks the contract,
    ValueError for an unknown backend and BackendError when nothing can run.
    """
    if backend not in backend_names():
        raise ValueError(f"expected backend one of {backend_names()}, got '{backend}'")
    spec = read_spec(model)
    threads = threads or len(os.sched_getaffinity(0))
    wanted = list(_BACKENDS) if backend == AUTO else [backend]
    reasons = {}
    for name in dict.fromkeys((*wanted, _CPU)):
        construct, missing = _BACKENDS[name]
        if reason := missing():
            reasons[name] = reason
            continue
        instance = construct(Path(model), spec, threads, engine_cache_dir)
        if backend not in (AUTO, name):
            instance.fallback_reason = f"{backend} was asked for, but {reasons[backend]}; running on {name}"
        return instance
    raise BackendError("no backend can run: " + "; ".join(f"{name}: {reason}" for name, reason in reasons.items()))
