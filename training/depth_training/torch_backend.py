# SPDX-License-Identifier: Apache-2.0
"""A torch network behind the runtime's pipeline: resize, padding and undo as on the robot, without an export."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import depth_models
import numpy as np
import torch
from depth_models import LABELS
from depth_runtime.spec import ModelSpec
from torch import Tensor, nn

from .checkpoint import KEYS, read_checkpoint, rebuild_network

STRIDES = {"disparity": 1, "confidence": 2, "semantic": 4}


class TorchBackend:
    """Backend of depth_runtime over a StereoPanoptic network; answers disparity, confidence and semantic."""

    fallback_reason = ""

    def __init__(self, network: nn.Module, name: str, device: torch.device | None = None) -> None:
        place = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.name, self.device = "torch", str(place)
        self._network = network.eval().to(place)
        self._place = place
        self.spec = ModelSpec(
            name=name,
            version="unexported",
            task="stereo",
            size_multiple=network.size_multiple,
            default_size=(384, 640),
            outputs=dict(STRIDES),
            max_disparity=float(network.config.max_disparity_px),
            labels=LABELS,
        )

    def prepare(self, size: tuple[int, int]) -> dict[str, np.ndarray]:
        """Input buffers uint8 [1, H, W, 3]."""
        self._inputs = {name: np.zeros((1, *size, 3), np.uint8) for name in self.spec.inputs}
        return self._inputs

    @torch.no_grad()
    def infer(self, outputs: Collection[str]) -> dict[str, np.ndarray]:
        """Maps as the exported file gives them; semantic at a quarter of its resolution."""
        images = [torch.from_numpy(self._inputs[name]).to(self._place) for name in self.spec.inputs]
        answer = self._network(*(image.permute(0, 3, 1, 2).float() for image in images))
        maps = {
            "disparity": answer["disparity"][:, 0],
            "confidence": torch.sigmoid(answer["confidence"][:, 0]),
            "semantic": answer["semantic"].argmax(1).to(torch.uint8),
        }
        return {name: _numpy(maps[name]) for name in outputs}


def _numpy(value: Tensor) -> np.ndarray:
    return value.cpu().numpy()


def load_network(path: Path) -> tuple[nn.Module, str]:
    """Averaged network and name of a checkpoint (last.pt) or of a weights file (weights.pt).

    Raises ValueError for any other file.
    """
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    if isinstance(content, dict) and set(KEYS) <= set(content):
        data = read_checkpoint(path)
        return rebuild_network(data), data["network"]
    network, name, _ = depth_models.load_weights(path)
    return network, name
