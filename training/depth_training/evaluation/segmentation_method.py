# SPDX-License-Identifier: Apache-2.0
"""A network that needs a segmentation image, as a method of `evaluate`: in torch, since the contract has two images."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from depth_models.network import DEFAULT_SIZE
from depth_runtime.plan import make_plan, parse_size
from torch import nn

from .method import Prediction


class SegmentationMethod:
    """The network at the images' own or a given size; its time is that of the network, without the segmentation's."""

    maps: frozenset[str] = frozenset()
    needs_segmentation = True

    def __init__(self, network: nn.Module, size: str = "source") -> None:
        self._network, self._size = network.eval(), parse_size(size, DEFAULT_SIZE)

    @torch.no_grad()
    def __call__(
        self, left: np.ndarray, right: np.ndarray, maps: Collection[str] = (), segmentation: np.ndarray | None = None
    ) -> Prediction:
        """Dense disparity."""
        plan = make_plan(left.shape[:2], self._network.size_multiple, self._size)
        buffers = [np.empty((*plan.network, 3), np.uint8) for _ in range(3)]
        views = [plan.apply(view, out) for view, out in zip((left, right, segmentation), buffers, strict=True)]
        tensors = (torch.from_numpy(view).permute(2, 0, 1)[None].float() for view in views)
        disparity_px = self._network(*tensors)["disparity"][0, 0].numpy()
        return Prediction(plan.undo_disparity(disparity_px))
