# SPDX-License-Identifier: Apache-2.0
"""A network as the robot meets it: camera bytes in, publishable maps out."""

from __future__ import annotations

from depth_models import Network, published_maps
from torch import Tensor, nn


class Contract(nn.Module):
    """The images of network.inputs in, the maps of network.outputs out, both in their order.

    Images are uint8 [1, H, W, 3] RGB, the maps have the strides of network.outputs.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, *images: Tensor) -> tuple[Tensor, ...]:
        """See depth_models.published_maps."""
        # Cast first: TensorRT takes uint8 inputs only into a cast.
        views = [image.float().permute(0, 3, 1, 2) for image in images]
        prediction = self.network(**dict(zip(self.network.inputs, views, strict=True)))
        return tuple(published_maps(self.network, prediction, views[0].shape[-1]).values())
