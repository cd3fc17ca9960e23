# SPDX-License-Identifier: Apache-2.0
"""Parity gate: an exported file must answer like the torch network, at several sizes, or it is not written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .matched_pair import matched_pair


class ParityError(RuntimeError):
    """The exported graph answers differently from the torch network."""


@dataclass(frozen=True)
class Tolerance:
    """Largest accepted difference of each output; the semantic one is a share of cells with another class."""

    disparity_px: float = 0.05
    confidence: float = 0.01
    semantic_share: float = 0.002
    instance_center: float = 0.01
    instance_offset_cells: float = 0.1

    def limit(self, output: str) -> float:
        """Limit of one output by its contract name."""
        return {
            "disparity": self.disparity_px,
            "confidence": self.confidence,
            "semantic": self.semantic_share,
            "instance_center": self.instance_center,
            "instance_offset": self.instance_offset_cells,
        }[output]


SIZES = ((256, 320), (384, 640))


def check_parity(
    reference: nn.Module,
    path: Path,
    outputs: list[str],
    tolerance: Tolerance | None = None,
    sizes: tuple[tuple[int, int], ...] = SIZES,
) -> dict[str, float]:
    """Largest difference of each output between a torch contract module and an ONNX file, over all sizes.

    Raises ParityError when one is above its limit or not a number.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    tolerance = tolerance or Tolerance()
    worst = dict.fromkeys(outputs, 0.0)
    for seed, (height, width) in enumerate(sizes):
        pair = matched_pair(height, width, seed)
        feed = {"left": pair.left[None], "right": pair.right[None]}
        with torch.no_grad():
            expected = reference(*(torch.from_numpy(image) for image in feed.values()))
        answers = session.run(outputs, feed)
        for name, answer, wanted in zip(outputs, answers, expected, strict=True):
            worst[name] = max(worst[name], difference(name, answer, wanted.numpy()))
            if not worst[name] <= tolerance.limit(name):
                raise ParityError(
                    f"expected '{name}' within {tolerance.limit(name)} of torch at {width}x{height}, got a "
                    f"difference of {worst[name]:.4f}; nothing was written: look for an operator that exports wrongly"
                )
    return worst


def difference(name: str, answer: np.ndarray, wanted: np.ndarray) -> float:
    """Largest absolute difference; for class ids the share that differs. Infinite when shapes or types differ."""
    if answer.shape != wanted.shape or answer.dtype != wanted.dtype:
        return float("inf")
    if name == "semantic":
        return float((answer != wanted).mean())
    return float(np.abs(answer.astype(np.float64) - wanted).max())
