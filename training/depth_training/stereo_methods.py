# SPDX-License-Identifier: Apache-2.0
"""What can be evaluated: exported networks, checkpoints, OpenCV's matcher and networks of others, behind one call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from depth_models.labels import LABELS
from depth_runtime.backends import Backend, make_backend
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.plan import parse_size
from depth_runtime.zoo import resolve_model

from .peers import open_peer

log = logging.getLogger(__name__)
CONFIDENT = 0.5


@dataclass(frozen=True)
class Answer:
    """Dense disparity_px float32 [H, W]; the others are None where a method has none or was not asked.

    confidence: float32 [H, W] 0..1; semantic: uint8 [H, W] ids of depth_models.LABELS; instance: uint16 [H, W], 0 =
    stuff. parts: further rows of the table, each a mask of the pixels it keeps.
    """

    disparity_px: np.ndarray
    confidence: np.ndarray | None = None
    semantic: np.ndarray | None = None
    instance: np.ndarray | None = None
    parts: dict[str, np.ndarray] = field(default_factory=dict)


class Method(Protocol):
    """Answers rectified pairs uint8 [H, W, 3] RGB.

    maps: which of "semantic" and "instance" it can give, when asked, besides disparity. One with `needs_segmentation`
    is given the segmentation image of the left view as a fourth argument.
    """

    maps: frozenset[str]

    def __call__(self, left: np.ndarray, right: np.ndarray, maps: Collection[str] = ()) -> Answer: ...


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
        self._pipeline = StereoPipeline(backend, parse_size(size, backend.spec.default_size))
        ours, theirs = ([(label.id, label.name) for label in labels] for labels in (LABELS, backend.spec.labels))
        self.maps = frozenset(self._pipeline.available(("semantic", "instance")) if ours == theirs else ())
        if theirs and ours != theirs:
            log.warning("the classes of %s are not those of depth_models.LABELS: not scored", backend.spec.name)

    def __call__(self, left: np.ndarray, right: np.ndarray, maps: Collection[str] = ()) -> Answer:
        """Dense disparity, the pixels whose confidence is above CONFIDENT, and `maps`."""
        result = self._pipeline.process(left, right, {"confidence", *maps})
        confidence = None if result.confidence is None else result.confidence.copy()
        return Answer(
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

    from .segmentation_method import SegmentationMethod
    from .torch_backend import TorchBackend, load_network

    torch.set_num_threads(threads)
    network, name = load_network(Path(path))
    if network.needs_segmentation:
        return SegmentationMethod(network, size)
    return PipelineMethod(TorchBackend(network, name), size)


def _peer(argument: str, threads: int, size: str) -> Method:
    """A network of others: MODEL.onnx@DESCRIPTION.toml, or MODEL.onnx with MODEL.toml beside it."""
    backend = open_peer(argument, threads)
    return PipelineMethod(backend, backend.fixed_size or size)


SGBM_LEVELS = 192


def make_sgbm() -> cv2.StereoSGBM:
    """OpenCV StereoSGBM, 3-way, SGBM_LEVELS levels, tuned as stereo_image_proc's users do."""
    return cv2.StereoSGBM_create(
        minDisparity=0,
        numDisparities=SGBM_LEVELS,
        blockSize=5,
        P1=8 * 25,
        P2=32 * 25,
        disp12MaxDiff=1,
        preFilterCap=31,
        uniquenessRatio=10,
        speckleWindowSize=100,
        speckleRange=2,
        mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY,
    )


class SgbmMethod:
    """The matcher of `make_sgbm` at the images' own size; holes take the background."""

    maps: frozenset[str] = frozenset()

    def __init__(self, _argument: str, threads: int, _size: str = "source") -> None:
        cv2.setNumThreads(threads)
        self._matcher = make_sgbm()

    def __call__(self, left: np.ndarray, right: np.ndarray, maps: Collection[str] = ()) -> Answer:
        """Dense disparity by filling, and the pixels that SGBM itself answered."""
        # Without a margin SGBM gives no answer in the first SGBM_LEVELS columns.
        grey = [
            cv2.copyMakeBorder(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), 0, 0, SGBM_LEVELS, 0, cv2.BORDER_CONSTANT)
            for image in (left, right)
        ]
        sparse = self._matcher.compute(*grey)[:, SGBM_LEVELS:].astype(np.float32) / 16
        return Answer(fill_from_background(sparse), parts={"own answers": sparse > 0})


def fill_from_background(disparity_px: np.ndarray) -> np.ndarray:
    """Fill pixels <= 0 of each row with the smaller of the nearest answers to both sides: the background.

    float32 [H, W] -> same; a row without any answer becomes 0.
    """

    def nearest_to_the_left(values: np.ndarray) -> np.ndarray:
        index = np.maximum.accumulate(np.where(values > 0, np.arange(values.shape[1]), 0), axis=1)
        found = np.take_along_axis(values, index, 1)
        return np.where(found > 0, found, np.inf)

    from_left = nearest_to_the_left(disparity_px)
    from_right = nearest_to_the_left(disparity_px[:, ::-1])[:, ::-1]
    filled = np.minimum(from_left, from_right)
    filled[~np.isfinite(filled)] = 0
    return np.where(disparity_px > 0, disparity_px, filled).astype(np.float32)


_KINDS: dict[str, Callable[[str, int, str], Method]] = {
    "zoo": _zoo,
    "checkpoint": _checkpoint,
    "sgbm": SgbmMethod,
    "onnx": _peer,
}
