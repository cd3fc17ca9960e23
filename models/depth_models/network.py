# SPDX-License-Identifier: Apache-2.0
"""What every stereo network offers, so that one trainer, one exporter and one runtime serve them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch
from depth_runtime.spec import ModelSpec
from torch import Tensor, nn

from .blocks import double
from .labels import LABELS

DEFAULT_SIZE = (384, 640)


class StereoNetwork(nn.Module):
    """Base of all stereo networks: set `config`, `size_multiple` and `outputs`, and write `forward`.

    config: a frozen dataclass with `max_disparity_px`; the registered builder replaces its fields.
    size_multiple: height and width of the input are multiples of it.
    outputs: name -> stride of each output of the exported contract file, in its order, "disparity": 1 first.
    needs_segmentation: True for a network that is called with a third image, the segmentation of the left view.

    forward(left, right): RGB [B, 3, H, W] in 0..255 -> answers by name: "disparity" [B, 1, H, W] px of the left view;
    "confidence", "instance_center" logits [B, 1, h, w]; "semantic" logits [B, classes, h, w] at its stride or at
    twice that; "instance_offset" [B, 2, h, w] cells. All other keys are for training and are not exported.
    """

    config: Any
    size_multiple: int
    outputs: ClassVar[dict[str, int]] = {"disparity": 1}
    needs_segmentation: ClassVar[bool] = False

    @property
    def encoder(self) -> nn.Module | None:
        """The part that may start from trained weights and then learns more slowly, where there is one."""
        return None

    def load_backbone(self, path: str | Path) -> None:
        """Load trained weights into the encoder. Raises ValueError where a network takes none."""
        raise ValueError(f"expected a network that takes encoder weights, got {type(self).__name__} for {path}")

    def left_view_maps(self, left: Tensor) -> dict[str, Tensor]:
        """Those predictions of `forward` that the left view alone decides, at their own cost; none by default."""
        return {}

    def start_from(self, other: nn.Module) -> None:
        """Take all weights of a trained network. Raises ValueError when they do not fit."""
        try:
            self.load_state_dict(other.state_dict())
        except RuntimeError as error:
            raise ValueError(f"expected weights that fit {type(self).__name__}: {error}") from error


def published_maps(network: nn.Module, answer: dict[str, Tensor], width: int) -> dict[str, Tensor]:
    """Answers of a network as the contract file publishes them, in the order of network.outputs.

    width: that of the input. disparity, confidence, instance_center: float32 [B, h, w]; semantic: uint8 [B, h, w];
    instance_offset: float32 [B, 2, h, w].
    """
    return {name: _published(name, answer[name], width // stride) for name, stride in network.outputs.items()}


def _published(name: str, value: Tensor, width: int) -> Tensor:
    if name == "semantic":
        logits = double(value) if value.shape[-1] < width else value
        return logits.argmax(1).to(torch.uint8)
    if name == "instance_offset":
        return value
    return torch.sigmoid(value[:, 0]) if name in ("confidence", "instance_center") else value[:, 0]


def stereo_spec(
    network: nn.Module,
    name: str,
    version: str,
    training: dict[str, Any] | None = None,
    metrics: dict[str, Any] | None = None,
    default_size: tuple[int, int] = DEFAULT_SIZE,
) -> ModelSpec:
    """Spec of a network's contract file; training and metrics are facts about it.

    default_size: (height, width) in pixels that it answers best.

    Raises ValueError for a network that needs more than the two images of the contract.
    """
    if getattr(network, "needs_segmentation", False):
        raise ValueError(
            f"expected a network of a left and a right image, got '{name}', which needs a segmentation image too; "
            "a contract file has no place for it: choose a variant of the network that segments by itself or not at all"
        )
    return ModelSpec(
        name=name,
        version=version,
        task="stereo",
        size_multiple=network.size_multiple,
        default_size=default_size,
        outputs=dict(network.outputs),
        max_disparity=float(network.config.max_disparity_px),
        labels=LABELS if "semantic" in network.outputs else (),
        training=training or {},
        metrics=metrics or {},
    )
