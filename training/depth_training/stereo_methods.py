# SPDX-License-Identifier: Apache-2.0
"""What can be evaluated: exported networks, OpenCV's matcher, and HITNet for comparison, behind one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from depth_runtime.backends import make_backend
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.zoo import resolve_model

CONFIDENT = 0.5


@dataclass(frozen=True)
class Answer:
    """Dense disparity_px float32 [H, W] and its confidence float32 [H, W] 0..1, or None where a method has none.

    parts: further rows of the table, each a mask of the pixels it keeps.
    """

    disparity_px: np.ndarray
    confidence: np.ndarray | None = None
    parts: dict[str, np.ndarray] = field(default_factory=dict)


Method = Callable[[np.ndarray, np.ndarray], Answer]


def make_method(text: str, threads: int) -> tuple[str, Method]:
    """Name for the table and method of "zoo:NAME_OR_PATH", "checkpoint:PATH", "sgbm" or "hitnet:PATH".

    Raises ValueError, listing the kinds, for anything else.
    """
    kind, _, argument = text.partition(":")
    if kind not in _KINDS:
        raise ValueError(f"expected a method of kind {sorted(_KINDS)}, got '{text}'; see --help")
    label = Path(argument).stem if argument else kind
    return label, _KINDS[kind](argument, threads)


class ZooMethod:
    """A contract file through the robot's own pipeline, at the images' resolution."""

    def __init__(self, model: str, threads: int) -> None:
        self._pipeline = StereoPipeline(make_backend(resolve_model(model), "onnxruntime-cpu", threads))

    def __call__(self, left: np.ndarray, right: np.ndarray) -> Answer:
        """Dense disparity, and the pixels whose confidence is above CONFIDENT."""
        result = self._pipeline.process(left, right, {"confidence"})
        confidence = result.confidence.copy()
        return Answer(result.disparity_px.copy(), confidence, {f"confidence > {CONFIDENT}": confidence > CONFIDENT})


class CheckpointMethod(ZooMethod):
    """A checkpoint or weights file of `train` in torch, through the same pipeline."""

    def __init__(self, path: str, threads: int) -> None:
        # Whoever compares exported files need not wait for torch.
        import torch

        from .torch_backend import TorchBackend, load_network

        torch.set_num_threads(threads)
        self._pipeline = StereoPipeline(TorchBackend(*load_network(Path(path))))


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
    """The matcher of `make_sgbm`; holes take the background."""

    def __init__(self, _argument: str, threads: int) -> None:
        cv2.setNumThreads(threads)
        self._matcher = make_sgbm()

    def __call__(self, left: np.ndarray, right: np.ndarray) -> Answer:
        """Dense disparity by filling, and the pixels that SGBM itself answered."""
        # Without a margin SGBM gives no answer in the first SGBM_LEVELS columns.
        grey = [
            cv2.copyMakeBorder(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), 0, 0, SGBM_LEVELS, 0, cv2.BORDER_CONSTANT)
            for image in (left, right)
        ]
        sparse = self._matcher.compute(*grey)[:, SGBM_LEVELS:].astype(np.float32) / 16
        return Answer(fill_from_background(sparse), parts={"own answers": sparse > 0})


class HitnetMethod:
    """A published HITNet ONNX file (grey pair [1, H, W, 2] in 0..1, multiples of 64), for comparison."""

    MULTIPLE = 64

    def __init__(self, path: str, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, left: np.ndarray, right: np.ndarray) -> Answer:
        """Dense disparity."""
        height, width = left.shape[:2]
        grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (left, right)]
        bottom, edge = -height % self.MULTIPLE, -width % self.MULTIPLE
        padded = [cv2.copyMakeBorder(image, 0, bottom, 0, edge, cv2.BORDER_REPLICATE) for image in grey]
        feed = np.stack(padded, -1)[None].astype(np.float32) / 255
        disparity = self._session.run(None, {self._input: feed})[0].reshape(padded[0].shape)
        return Answer(disparity[:height, :width])


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


_KINDS: dict[str, Callable[[str, int], Method]] = {
    "zoo": ZooMethod,
    "checkpoint": CheckpointMethod,
    "sgbm": SgbmMethod,
    "hitnet": HitnetMethod,
}
