# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on the CPU or on CUDA, with inputs and outputs bound once per size."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from ..spec import ModelSpec
from .base import BackendError, check_names

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_IMAGE = "tensor(uint8)"


def onnxruntime_missing() -> str:
    """Why ONNX Runtime cannot run here, or "" if it can."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError as error:
        return f"onnxruntime cannot be imported ({error}); install onnxruntime, or onnxruntime-gpu on a CUDA machine"
    return ""


def cuda_missing() -> str:
    """Why the CUDA provider cannot run here, or "" if it can."""
    if missing := onnxruntime_missing():
        return missing
    import onnxruntime

    if _PROVIDERS["cuda"] not in onnxruntime.get_available_providers():
        return "this onnxruntime has no CUDA provider; install onnxruntime-gpu"
    return ""


class OnnxRuntimeBackend:
    """An ONNX Runtime session for one contract file.

    threads is set on purpose: one pool of that size and no spinning between frames, since the same cores serve
    DDS and the node.
    """

    def __init__(self, path: Path, spec: ModelSpec, provider: str, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=list(dict.fromkeys((_PROVIDERS[provider], _PROVIDERS["cpu"])))
            )
        except Exception as error:  # ONNX Runtime raises half a dozen unrelated types for a bad file
            raise BackendError(f"ONNX Runtime could not load {path}: {error}; export the network again") from error
        self.spec = spec
        runs_on = next(p for p in self._session.get_providers() if p in _PROVIDERS.values())
        self.name = f"onnxruntime-{next(k for k, v in _PROVIDERS.items() if v == runs_on)}"
        self.device = f"{runs_on} ({threads} threads)"
        self.fallback_reason = ""
        if runs_on != _PROVIDERS[provider]:
            self.fallback_reason = f"ONNX Runtime could not start {_PROVIDERS[provider]}; running on {runs_on}"
        graph = self._session.get_inputs(), self._session.get_outputs()
        inputs, outputs = ([tensor.name for tensor in side] for side in graph)
        check_names(spec, inputs, outputs, path)
        if others := {tensor.name: tensor.type for tensor in graph[0] if tensor.type != _IMAGE}:
            raise BackendError(f"expected inputs of {_IMAGE}, got {others} in {path}; export the network again")
        self._run_options = onnxruntime.RunOptions()
        self._run_options.only_execute_path_to_fetches = True
        self._inputs: dict[str, np.ndarray] = {}
        self._outputs: dict[str, np.ndarray] = {}
        self._bindings: dict[frozenset[str], object] = {}

    def prepare(self, size: tuple[int, int]) -> dict[str, np.ndarray]:
        """Input buffers uint8 [1, H, W, 3] for size (height, width); see `Backend.prepare`."""
        height, width = size
        self._inputs = {name: np.zeros((1, height, width, 3), np.uint8) for name in self.spec.inputs}
        self._outputs = {name: self._output_buffer(name, height, width) for name in self.spec.outputs}
        self._bindings = {}
        return self._inputs

    def _output_buffer(self, name: str, height: int, width: int) -> np.ndarray:
        stride = self.spec.outputs[name]
        rows, columns = -(-height // stride), -(-width // stride)
        shape = (1, 2, rows, columns) if name == "instance_offset" else (1, rows, columns)
        return np.empty(shape, np.uint8 if name == "semantic" else np.float32)

    def _bind(self, outputs: frozenset[str]) -> object:
        binding = self._session.io_binding()
        for name, array in self._inputs.items():
            binding.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        for name in sorted(outputs):
            array = self._outputs[name]
            binding.bind_output(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        return binding

    def infer(self, outputs: Collection[str]) -> dict[str, np.ndarray]:
        """Run the part of the graph that the named outputs need; see `Backend.infer`."""
        key = frozenset(outputs)
        if key not in self._bindings:
            self._bindings[key] = self._bind(key)
        self._session.run_with_iobinding(self._bindings[key], self._run_options)
        return {name: self._outputs[name] for name in outputs}
