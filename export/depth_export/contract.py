# SPDX-License-Identifier: Apache-2.0
"""A network as the robot meets it: camera bytes in, publishable maps out."""

from __future__ import annotations

from depth_models import published_maps
from torch import Tensor, nn


class StereoContract(nn.Module):
    """uint8 [1, H, W, 3] RGB pair in; the maps of network.outputs out, in its order and at its strides."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        """See depth_models.published_maps."""
        # Cast first: TensorRT takes uint8 inputs only into a cast.
        left, right = (image.float().permute(0, 3, 1, 2) for image in (left, right))
        return tuple(published_maps(self.network, self.network(left, right), left.shape[-1]).values())
