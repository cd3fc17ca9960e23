# SPDX-License-Identifier: Apache-2.0
"""The network as the robot meets it: camera bytes in, publishable maps out."""

from __future__ import annotations

import torch
from depth_models import LABELS
from depth_models.blocks import double
from depth_models.stereo import StereoPanoptic
from depth_runtime.spec import ModelSpec
from torch import Tensor, nn

# Strides of the outputs: heads answer where they think; the runtime resizes what is published.
STEREO_OUTPUTS = {
    "disparity": 1,
    "confidence": 2,
    "semantic": 2,
    "instance_center": 4,
    "instance_offset": 4,
}
DEFAULT_SIZE = (384, 640)


class StereoContract(nn.Module):
    """uint8 [1, H, W, 3] RGB pair in; disparity, confidence, semantic, instance_center, instance_offset out."""

    def __init__(self, network: StereoPanoptic) -> None:
        super().__init__()
        self.network = network

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        """Maps in the order of STEREO_OUTPUTS, at its strides."""
        # Cast first: TensorRT takes uint8 inputs only into a cast.
        left, right = (image.float().permute(0, 3, 1, 2) for image in (left, right))
        out = self.network(left, right)
        return (
            out["disparity"][:, 0],
            torch.sigmoid(out["confidence"][:, 0]),
            double(out["semantic"]).argmax(1).to(torch.uint8),
            torch.sigmoid(out["instance_center"][:, 0]),
            out["instance_offset"],
        )


def stereo_spec(
    network: StereoPanoptic, name: str, version: str, training: dict[str, object], metrics: dict[str, object]
) -> ModelSpec:
    """Spec that belongs to a StereoContract of this network."""
    return ModelSpec(
        name=name,
        version=version,
        task="stereo",
        size_multiple=network.size_multiple,
        default_size=DEFAULT_SIZE,
        outputs=dict(STEREO_OUTPUTS),
        max_disparity=float(network.config.max_disparity_px),
        labels=LABELS,
        training=training,
        metrics=metrics,
    )
