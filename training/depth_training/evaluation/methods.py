# SPDX-License-Identifier: Apache-2.0
"""What can be evaluated: exported networks, checkpoints, OpenCV's matcher and networks of others, behind one call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np
from depth_models.labels import LABELS
from depth_runtime.backends import Backend, make_backend
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.plan import parse_size
from depth_runtime.zoo import resolve_model

from .method import IMAGES, Method, Prediction
from .sgbm import SgbmMethod
from .third_party_onnx import open_third_party

log = logging.getLogger(__name__)
CONFIDENT = 0.5


def make_method(text: str, threads: int, size: str = "source") -> tuple[str, Method]:
    """Name for the table and method of "KIND:WHAT" (see the evaluate command's help).

    size: network size of what is a network: "source", "default" or "WIDTHxHEIGHT", see depth_runtime.plan. Raises
    ValueError, listing the kinds, for anything else.
    """
    kind, _, argument = text.partition(":")
    if kind not in _KINDS:
        raise ValueError(f"expected a method of kind {sorted(_KINDS)}, got '{text}'; see --help")
    label = Path(argument.partition("@")[0]).stem if argument else kind
    return label, _KINDS[kind](argument, threads, size)


class PipelineMethod:
    """A network behind the robot's own pipeline; the published maps have the images' size."""

    def __init__(self, backend: Backend, size: str) -> None:
        self._pipeline = StereoPipeline(backend, parse_size(size, backend.spec.default_size), given=IMAGES)
        self.inputs = backend.spec.inputs
        ours, theirs = ([(label.id, label.name) for label in labels] for labels in (LABELS, backend.spec.labels))
        self.maps = frozenset(self._pipeline.available(("semantic", "instance")) if ours == theirs else ())
        if theirs and ours != theirs:
            log.warning("the classes of %s are not those of depth_models.LABELS: not scored", backend.spec.name)

    def __call__(self, images: Mapping[str, np.ndarray], maps: Collection[str] = ()) -> Prediction:
        """Dense disparity, the pixels whose confidence is above CONFIDENT, and `maps`."""
        result = self._pipeline.process(images, {"confidence", *maps})
        confidence = None if result.confidence is None else result.confidence.copy()
        return Prediction(
            result.disparity_px.copy(),
            confidence,
            result.panoptic.semantic.copy() if "semantic" in maps else None,
            result.panoptic.instance.copy() if "instance" in maps else None,
            {} if confidence is None else {f"confidence > {CONFIDENT}": confidence > CONFIDENT},
        )


def _zoo(model: str, threads: int, size: str) -> Method:
    """A contract file in ONNX Runtime on the CPU."""
    return PipelineMethod(make_backend(resolve_model(model), "onnxruntime-cpu", threads), size)


def _checkpoint(path: str, threads: int, size: str) -> Method:
    """A checkpoint or weights file of `train` in torch."""
    # Whoever compares exported files need not wait for torch.
    import torch

    from .torch_backend import TorchBackend, load_network

    torch.set_num_threads(threads)
    return PipelineMethod(TorchBackend(*load_network(Path(path).expanduser())), size)


def _third_party(argument: str, threads: int, size: str) -> Method:
    """A network of others: MODEL.onnx@DESCRIPTION.toml, or MODEL.onnx with MODEL.toml beside it."""
    backend = open_third_party(argument, threads)
    return PipelineMethod(backend, backend.fixed_size or size)


_KINDS: dict[str, Callable[[str, int, str], Method]] = {
    "zoo": _zoo,
    "checkpoint": _checkpoint,
    "sgbm": SgbmMethod,
    "onnx": _third_party,
}
