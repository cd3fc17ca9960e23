# SPDX-License-Identifier: Apache-2.0
"""Everything in which TensorRT 8.6, 10, 11 and TensorRT-RTX differ; the code around it speaks what they share.

| | 8.6 | 10 | 11 | RTX |
| --- | --- | --- | --- | --- |
| explicit batch | a flag | default | default | default |
| precision | the file's, allowed by builder flags | the file's (strongly typed) | the file's | the file's |
| target GPU | this machine's | this machine's | this machine's | any, by compute capability |
| progress monitor | none | yes | yes | yes |
"""

from __future__ import annotations

import importlib
import logging
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from .base import BackendError

log = logging.getLogger(__name__)

# Flavour -> module names, the first that can be imported is used.
MODULES = {"tensorrt": ("tensorrt",), "tensorrt_rtx": ("tensorrt_rtx", "tensorrt_rtx_bindings")}
# The library's own table (nptype) asks numpy for names that are gone since 1.24.
_DTYPES = {"FLOAT": "f4", "HALF": "f2", "UINT8": "u1", "INT8": "i1", "BOOL": "?", "INT32": "i4", "INT64": "i8"}
_INSTALL = {
    "tensorrt": "install NVIDIA's tensorrt 8.6 or newer (on a Jetson it comes with JetPack)",
    "tensorrt_rtx": "pip install tensorrt-rtx-cu13-libs tensorrt-rtx-cu13-bindings",
}


def library_missing(flavour: str) -> str:
    """Why the library of a flavour cannot be loaded, or "" if it can."""
    reasons = []
    for name in MODULES[flavour]:
        try:
            if hasattr(importlib.import_module(name), "Builder"):
                return ""
            reasons.append(f"the module {name} holds no library")
        except (ImportError, OSError) as error:
            reasons.append(str(error))
    return f"{flavour} cannot be imported ({'; '.join(reasons)}); {_INSTALL[flavour]}"


@dataclass(frozen=True)
class TensorRt:
    """A loaded library: `trt` is its Python module, `flavour` a key of MODULES."""

    flavour: str
    trt: ModuleType

    @classmethod
    def load(cls, flavour: str) -> TensorRt:
        """Import the library. Raises BackendError with the remedy when there is none."""
        if reason := library_missing(flavour):
            raise BackendError(reason)
        for name in MODULES[flavour]:
            try:
                return cls(flavour, importlib.import_module(name))
            except (ImportError, OSError):
                continue
        raise BackendError(f"{flavour} disappeared while it was loaded")

    @property
    def version(self) -> str:
        """Version of the library, for example 8.6.0."""
        return self.trt.__version__

    @property
    def portable(self) -> bool:
        """True where an engine is made for a compute capability, not for one GPU model, and without a GPU."""
        return self.flavour == "tensorrt_rtx"

    @property
    def strongly_typed(self) -> bool:
        """True where the ONNX file alone decides the precision of each layer."""
        return hasattr(self.trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")

    def logger(self) -> Any:
        """A logger for the library that writes to Python's logging and keeps its errors, as text, in `errors`."""
        trt = self.trt
        Logger: Any = trt.ILogger

        class Words(Logger):
            def __init__(self) -> None:
                Logger.__init__(self)
                self.errors: list[str] = []

            def log(self, severity: Any, text: str) -> None:
                serious = int(severity) <= int(trt.ILogger.Severity.ERROR)
                if serious:
                    self.errors.append(text.strip())
                log.log(logging.ERROR if serious else logging.DEBUG, "%s", text.strip())

        return Words()

    @staticmethod
    def dtype(kind: Any) -> np.dtype:
        """numpy's name of a tensor type. Raises BackendError for one that numpy has not."""
        if kind.name not in _DTYPES:
            raise BackendError(f"expected tensor types {sorted(_DTYPES)}, got {kind.name}; export in FP32 or FP16")
        return np.dtype(_DTYPES[kind.name])

    def create_network(self, builder: Any) -> Any:
        """An empty network with explicit batch, strongly typed where the version can."""
        flags = self.trt.NetworkDefinitionCreationFlag
        name = "STRONGLY_TYPED" if self.strongly_typed else "EXPLICIT_BATCH"
        return builder.create_network(1 << int(getattr(flags, name)))

    def set_precision(self, config: Any, precision: str) -> None:
        """Allow what the file computes in ("fp32", "fp16", "int8"), on versions that must be asked."""
        if self.strongly_typed:
            return
        if precision != "fp32":
            config.set_flag(self.trt.BuilderFlag.FP16)
        if precision == "int8":
            config.set_flag(self.trt.BuilderFlag.INT8)

    def targets(self) -> list[str]:
        """Compute capabilities that engines can be built for without the GPU, like "8.6"; empty when it needs it."""
        if not self.portable:
            return []
        names = [name[2:] for name in dir(self.trt.ComputeCapability) if name.startswith("SM")]
        return sorted((f"{sm[:-1]}.{sm[-1]}" for sm in names), key=float)

    def set_target(self, config: Any, capability: str) -> None:
        """Build for a compute capability like "8.6". Raises BackendError for one that the library does not serve."""
        if not self.portable:
            return
        if capability not in self.targets():
            raise BackendError(
                f"expected a compute capability among {self.targets()} for {self.flavour} {self.version}, "
                f"got {capability}; use backend tensorrt on this GPU"
            )
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(self.trt.ComputeCapability, "SM" + capability.replace(".", "")), 0)
