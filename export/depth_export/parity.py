# SPDX-License-Identifier: Apache-2.0
"""Parity gate: an exported file must predict like the torch network, at several sizes, or it is not written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from depth_runtime.spec import ModelSpec
from torch import nn

from .matched_pair import matched_pair

# Depth is compared for a camera like KITTI's: depth_m = FOCAL_BASELINE_PX_M / disparity_px. The errors are relative,
# so the camera only says which disparities are too small to matter.
FOCAL_BASELINE_PX_M = 390.0
FARTHEST_M = 100.0


class ParityError(ValueError):
    """The exported graph predicts differently from what it was made of."""


@dataclass(frozen=True)
class Tolerance:
    """Largest accepted difference of each output; the semantic one is a fraction of cells with another class.

    depth_fraction: relative error of a depth, or of the one that follows from a disparity, see `relative_depth_errors`.
    """

    disparity_px: float = 0.05
    depth_fraction: float = 0.01
    confidence: float = 0.01
    semantic_fraction: float = 0.002
    instance_center: float = 0.01
    instance_offset_cells: float = 0.1

    def limit(self, output: str) -> float:
        """Limit of one output by its contract name, or of "relative_depth"."""
        return {
            "disparity": self.disparity_px,
            "relative_depth": self.depth_fraction,
            "depth": self.depth_fraction,
            "confidence": self.confidence,
            "semantic": self.semantic_fraction,
            "instance_center": self.instance_center,
            "instance_offset": self.instance_offset_cells,
        }[output]


SIZES = ((256, 320), (384, 640))


def check_parity(
    reference: nn.Module, path: Path, spec: ModelSpec, tolerance: Tolerance | None = None
) -> dict[str, float]:
    """Largest difference of each output between a torch contract module and an ONNX file, over all SIZES.

    reference: takes the spec's inputs and returns its outputs, in their order. With a disparity comes "relative_depth".
    Raises ParityError when one is above its limit or not a number.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    tolerance = tolerance or Tolerance()
    worst: dict[str, float] = {}
    outputs = list(spec.outputs)
    for feed in matched_feeds(SIZES, spec):
        with torch.no_grad():
            expected = reference(*(torch.from_numpy(feed[name]) for name in spec.inputs))
        wanted = dict(zip(outputs, (tensor.numpy() for tensor in expected), strict=True))
        predictions = dict(zip(outputs, session.run(outputs, feed), strict=True))
        for name, value in differences(predictions, wanted).items():
            worst[name] = float(np.maximum(worst.get(name, 0.0), value))  # keeps NaN, which max() may lose
            if not worst[name] <= tolerance.limit(name):
                height, width = feed[spec.inputs[0]].shape[1:3]
                raise ParityError(
                    f"expected '{name}' within {tolerance.limit(name)} of torch at {width}x{height}, got a "
                    f"difference of {worst[name]:.4f}; nothing was written: look for an operator that exports wrongly"
                )
    return worst


def matched_feeds(sizes: Iterable[tuple[int, int]], spec: ModelSpec) -> Iterator[dict[str, np.ndarray]]:
    """Images of scenes, by name as the spec's inputs, of these (height, width) rounded up to its multiples."""
    for seed, size in enumerate(sizes):
        images = matched_pair(*(-(-side // spec.size_multiple) * spec.size_multiple for side in size), seed).images()
        yield {name: images[name][None] for name in spec.inputs}


def differences(predictions: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> dict[str, float]:
    """Largest difference of each output, and of "relative_depth" where there is a disparity."""
    result = {name: difference(name, predictions[name], value) for name, value in wanted.items()}
    if "disparity" in wanted and np.isfinite(result["disparity"]):
        errors = relative_depth_errors(predictions["disparity"], wanted["disparity"])
        result["relative_depth"] = float(errors.max(initial=0))
    return result


def difference(name: str, prediction: np.ndarray, wanted: np.ndarray) -> float:
    """Largest absolute difference; of a depth relative to it; for class ids the fraction that differs.

    Infinite when shapes or types differ.
    """
    if prediction.shape != wanted.shape or prediction.dtype != wanted.dtype:
        return float("inf")
    if name == "semantic":
        return float((prediction != wanted).mean())
    errors = np.abs(prediction.astype(np.float64) - wanted)
    return float((errors / np.abs(wanted) if name == "depth" else errors).max())


def relative_depth_errors(predicted_px: np.ndarray, wanted_px: np.ndarray) -> np.ndarray:
    """|Z / Z* - 1| of all pixels that are nearer than FARTHEST_M by `wanted_px`, with Z = focal * baseline / disparity.

    Infinite where the prediction has no depth. Returns float64 [N].
    """
    near = wanted_px >= FOCAL_BASELINE_PX_M / FARTHEST_M
    prediction, wanted = (disparity[near].astype(np.float64) for disparity in (predicted_px, wanted_px))
    with np.errstate(divide="ignore"):
        return np.abs(wanted / np.maximum(prediction, 0) - 1)
