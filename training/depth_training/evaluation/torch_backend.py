# SPDX-License-Identifier: Apache-2.0
"""A torch network behind the runtime's pipeline: resize, padding and undo as on the robot, without an export."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import depth_models
import numpy as np
import torch
from torch import nn

from ..engine.checkpoint import KEYS, read_checkpoint, rebuild_network


class TorchBackend:
    """Backend of depth_runtime over a stereo network; answers what the network's exported file would.

    Raises ValueError for a network that needs more than the two images of a contract.
    """

    fallback_reason = ""

    def __init__(self, network: nn.Module, name: str, device: torch.device | None = None) -> None:
        place = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.name, self.device = "torch", str(place)
        self._network = network.eval().to(place)
        self._place = place
        self.spec = depth_models.stereo_spec(network, name, "unexported")

    def prepare(self, size: tuple[int, int]) -> dict[str, np.ndarray]:
        """Input buffers uint8 [1, H, W, 3]."""
        self._inputs = {name: np.zeros((1, *size, 3), np.uint8) for name in self.spec.inputs}
        return self._inputs

    @torch.no_grad()
    def infer(self, outputs: Collection[str]) -> dict[str, np.ndarray]:
        """Maps as the exported file gives them."""
        images = [torch.from_numpy(self._inputs[name]).to(self._place) for name in self.spec.inputs]
        left, right = (image.permute(0, 3, 1, 2).float() for image in images)
        maps = depth_models.published_maps(self._network, self._network(left, right), left.shape[-1])
        return {name: maps[name].cpu().numpy() for name in outputs}


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
