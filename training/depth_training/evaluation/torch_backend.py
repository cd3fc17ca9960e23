# SPDX-License-Identifier: Apache-2.0
"""A torch network behind the runtime's pipeline: resize, padding and undo as on the robot, without an export."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import depth_models
import numpy as np
import torch
from depth_models import Network


class TorchBackend:
    """Backend of depth_runtime over a network; predicts what the network's exported file would."""

    fallback_reason = ""

    def __init__(self, network: Network, name: str, device: torch.device | None = None) -> None:
        place = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.name, self.device = "torch", str(place)
        self._network = network.eval().to(place)
        self._place = place
        self.spec = depth_models.network_spec(network, name, "unexported")

    def prepare(self, size: tuple[int, int]) -> dict[str, np.ndarray]:
        """Input buffers uint8 [1, H, W, 3]."""
        self._inputs = {name: np.zeros((1, *size, 3), np.uint8) for name in self.spec.inputs}
        return self._inputs

    @torch.no_grad()
    def infer(self, outputs: Collection[str]) -> dict[str, np.ndarray]:
        """Maps as the exported file gives them."""
        images = {name: torch.from_numpy(image).to(self._place) for name, image in self._inputs.items()}
        views = {name: image.permute(0, 3, 1, 2).float() for name, image in images.items()}
        width = views[self.spec.inputs[0]].shape[-1]
        maps = depth_models.published_maps(self._network, self._network(**views), width)
        return {name: maps[name].cpu().numpy() for name in outputs}


def load_network(path: Path) -> tuple[Network, str]:
    """Averaged network and name of a checkpoint (last.pt) or of a weights file (weights.pt).

    Raises ValueError for any other file.
    """
    network, name, _ = depth_models.load_weights(path)
    return network, name
