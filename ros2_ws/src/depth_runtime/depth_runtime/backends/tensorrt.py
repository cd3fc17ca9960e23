# SPDX-License-Identifier: Apache-2.0
"""TensorRT and TensorRT-RTX engines behind the Backend protocol; no torch, memory allocated once per engine."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

import numpy as np

from ..spec import ModelSpec
from .base import BackendError
from .cuda_runtime import Buffer, Graph, Stream, cuda_missing, current_gpu
from .engine_cache import EngineCache
from .tensorrt_api import TensorRt, library_missing
from .tensorrt_build import cached_engine, engine_key

log = logging.getLogger(__name__)


def tensorrt_missing(flavour: str) -> str:
    """Why engines of a flavour ("tensorrt", "tensorrt_rtx") cannot run here, or "" if they can."""
    if missing := library_missing(flavour) or cuda_missing():
        return missing
    api, gpu = TensorRt.load(flavour), current_gpu()
    if api.portable and gpu.capability not in api.targets():
        return (
            f"{flavour} {api.version} serves compute capabilities {api.targets()}, this {gpu.name} has "
            f"{gpu.capability}; use backend tensorrt"
        )
    return ""


class TensorRtBackend:
    """Engines of one contract file, one for each input size, loaded from the cache or built when the size is first met.

    Every output is computed; only those that are asked for are copied back. cache_folder "": the user's cache folder.
    """

    def __init__(self, path: Path, spec: ModelSpec, flavour: str, cache_folder: Path | str = "") -> None:
        if missing := tensorrt_missing(flavour):
            raise BackendError(missing)
        self._api = TensorRt.load(flavour)
        self._gpu = current_gpu()
        self._path, self._cache = path, EngineCache(cache_folder)
        self._engine: Engine | None = None
        self._failures: dict[tuple[int, int], str] = {}
        self.spec, self.name, self.fallback_reason = spec, flavour, ""
        self.device = f"{flavour} {self._api.version} on {self._gpu.name} (SM {self._gpu.capability})"

    def prepare(self, size: tuple[int, int]) -> dict[str, np.ndarray]:
        """Load the engine for size (height, width), building it first when the cache has none.

        Returns the input buffers in page-locked memory; see `Backend.prepare`. Raises BackendError when there is no
        way to an engine of this size; asked again, at once.
        """
        if size in self._failures:
            raise BackendError(self._failures[size])
        try:
            self._engine = self._load(size)  # the one before stays if this fails: the caller still holds its buffers
        except BackendError as error:
            self._failures[size] = str(error)
            raise
        return {name: self._engine.buffers[name].host for name in self.spec.inputs}

    def _load(self, size: tuple[int, int]) -> Engine:
        key = engine_key(self._api, self._path, size, self._gpu)
        try:
            return Engine(self._api, cached_engine(self._api, self._path, key, self._cache), self.spec)
        except EngineRefusedError as error:
            log.warning("%s refused an engine of the cache (%s): building it again", self._api.flavour, error)
            self._cache.discard(key)
        return Engine(self._api, cached_engine(self._api, self._path, key, self._cache), self.spec)

    def infer(self, outputs: Collection[str]) -> dict[str, np.ndarray]:
        """Compute all outputs and copy back the named ones; see `Backend.infer`."""
        if self._engine is None:
            raise RuntimeError("expected prepare() before infer()")
        return self._engine.run(frozenset(outputs))


class EngineRefusedError(BackendError):
    """The library does not load a plan although the cache vouches for its bytes."""


class Engine:
    """A loaded engine of fixed shapes with its execution context, stream and buffers.

    Raises EngineRefusedError when the library does not take the plan, BackendError when the network is another one.
    """

    def __init__(self, api: TensorRt, plan: bytes, spec: ModelSpec) -> None:
        self._words = api.logger()
        self._runtime = api.trt.Runtime(self._words)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise EngineRefusedError("; ".join(self._words.errors) or "no reason given")
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise BackendError(f"no execution context: {'; '.join(self._words.errors)}; free GPU memory")
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        if set(names) != {*spec.inputs, *spec.outputs}:
            raise BackendError(
                f"expected tensors {sorted((*spec.inputs, *spec.outputs))} as the spec says, got {sorted(names)}"
            )
        self._inputs = spec.inputs
        self.buffers = {name: self._buffer(api, name) for name in names}
        self._stream = Stream()
        for name, buffer in self.buffers.items():
            self._context.set_tensor_address(name, buffer.device)
        self._graphs: dict[frozenset[str], Graph | None] = {}

    def _buffer(self, api: TensorRt, name: str) -> Buffer:
        return Buffer(tuple(self._engine.get_tensor_shape(name)), api.dtype(self._engine.get_tensor_dtype(name)))

    def run(self, outputs: frozenset[str]) -> dict[str, np.ndarray]:
        """Upload, compute and download; the second call for the same outputs captures it as a CUDA graph."""
        if outputs not in self._graphs:
            self._enqueue(outputs)  # the libraries allocate in the first run, which no graph may hold
            self._stream.synchronize()
            self._graphs[outputs] = self._capture(outputs)
        elif graph := self._graphs[outputs]:
            graph.launch()
        else:
            self._enqueue(outputs)
        self._stream.synchronize()
        return {name: contract_array(name, self.buffers[name].host) for name in outputs}

    def _enqueue(self, outputs: frozenset[str]) -> None:
        for name in self._inputs:
            self._stream.upload(self.buffers[name])
        if not self._context.execute_async_v3(int(self._stream.handle)):
            raise BackendError(f"the engine failed: {'; '.join(self._words.errors[-3:]) or 'no reason given'}")
        for name in sorted(outputs):
            self._stream.download(self.buffers[name])

    def _capture(self, outputs: frozenset[str]) -> Graph | None:
        try:
            return self._stream.capture(lambda: self._enqueue(outputs))
        except BackendError as error:
            log.info("this engine runs without a CUDA graph: %s", error)
            return None


def contract_array(name: str, array: np.ndarray) -> np.ndarray:
    """An engine's output in the contract's type: uint8 for class ids, else float32; a copy only where types differ."""
    return array.astype(np.uint8 if name == "semantic" else np.float32, copy=False)
