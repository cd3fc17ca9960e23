# SPDX-License-Identifier: Apache-2.0
"""The little of CUDA that an engine needs, through cuda-python: device properties, memory, a stream and graphs."""

from __future__ import annotations

import ctypes
import math
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from .base import BackendError


def cuda_missing() -> str:
    """Why CUDA cannot be used through cuda-python here, or "" if it can."""
    try:
        from cuda.bindings import runtime
    except (ImportError, OSError) as error:
        return f"cuda-python cannot be imported ({error}); pip install cuda-python"
    try:
        status, count = runtime.cudaGetDeviceCount()
    except RuntimeError as error:
        return f"no CUDA driver was found ({error}); install NVIDIA's driver"
    if status != runtime.cudaError_t.cudaSuccess:
        return f"no CUDA GPU can be used ({status.name}); check `nvidia-smi` and that the driver fits cuda-python"
    return "" if count else "no CUDA GPU was found; check `nvidia-smi`"


@dataclass(frozen=True)
class Gpu:
    """The GPU in use: product name and compute capability like "8.6"."""

    name: str
    capability: str


def current_gpu() -> Gpu:
    """Properties of the current device. Raises BackendError when CUDA fails."""
    cudart = _runtime()
    device = check(cudart.cudaGetDevice())
    properties = check(cudart.cudaGetDeviceProperties(device))
    name = properties.name.decode(errors="replace").rstrip("\0")
    return Gpu(name, f"{properties.major}.{properties.minor}")


def check(returned: tuple) -> Any:
    """The value in what cuda-python returned (status, value...). Raises BackendError for any status but success."""
    status, *values = returned
    if int(status) != 0:
        raise BackendError(f"CUDA failed with {status.name}; see the driver's log (`dmesg`) and free GPU memory")
    return values[0] if len(values) == 1 else tuple(values) or None


class Buffer:
    """One tensor in page-locked host memory and on the device.

    host: numpy array, which keeps its memory alive by itself; device: address, valid as long as this object lives.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype) -> None:
        cudart = _runtime()
        self.bytes = math.prod(shape) * dtype.itemsize
        self.device = check(cudart.cudaMalloc(self.bytes))
        weakref.finalize(self, cudart.cudaFree, self.device)
        address = check(cudart.cudaMallocHost(self.bytes))
        memory = (ctypes.c_uint8 * self.bytes).from_address(address)
        weakref.finalize(memory, cudart.cudaFreeHost, address)
        self.host = np.frombuffer(memoryview(memory), dtype).reshape(shape)
        self.host.fill(0)


class Stream:
    """A CUDA stream with copies and graph capture on it."""

    def __init__(self) -> None:
        self._cudart = _runtime()
        self.handle = check(self._cudart.cudaStreamCreateWithFlags(self._cudart.cudaStreamNonBlocking))
        weakref.finalize(self, self._cudart.cudaStreamDestroy, self.handle)

    def upload(self, buffer: Buffer) -> None:
        """Copy host to device."""
        kind = self._cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        check(self._cudart.cudaMemcpyAsync(buffer.device, buffer.host.ctypes.data, buffer.bytes, kind, self.handle))

    def download(self, buffer: Buffer) -> None:
        """Copy device to host."""
        kind = self._cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        check(self._cudart.cudaMemcpyAsync(buffer.host.ctypes.data, buffer.device, buffer.bytes, kind, self.handle))

    def synchronize(self) -> None:
        """Wait until everything on the stream is done."""
        check(self._cudart.cudaStreamSynchronize(self.handle))

    def capture(self, work: Callable[[], None]) -> Graph:
        """What `work` puts on this stream, as a graph. Raises BackendError when it cannot be captured."""
        mode = self._cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        check(self._cudart.cudaStreamBeginCapture(self.handle, mode))
        try:
            work()
        finally:
            returned = self._cudart.cudaStreamEndCapture(self.handle)
        return Graph(self._cudart, check(returned), self)


class Graph:
    """A captured CUDA graph that is launched on the stream that it was captured from."""

    def __init__(self, cudart: ModuleType, graph: Any, stream: Stream) -> None:
        self._cudart, self._stream = cudart, stream
        try:
            self._executable = check(cudart.cudaGraphInstantiate(graph, 0))
        finally:
            cudart.cudaGraphDestroy(graph)
        weakref.finalize(self, cudart.cudaGraphExecDestroy, self._executable)

    def launch(self) -> None:
        """Put the graph on its stream."""
        check(self._cudart.cudaGraphLaunch(self._executable, self._stream.handle))


def _runtime() -> ModuleType:
    from cuda.bindings import runtime

    return runtime
