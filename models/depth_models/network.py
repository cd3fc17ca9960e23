# SPDX-License-Identifier: Apache-2.0
"""What every network offers, so that one trainer, one exporter and one runtime serve them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch
from depth_runtime.spec import ModelSpec
from torch import Tensor, nn

from .blocks import double
from .labels import LABELS

DEFAULT_SIZE = (384, 640)


class Network(nn.Module):
    """Base of all networks: set `config`, `size_multiple`, `task`, `inputs` and `outputs`, and write `forward`.

    config: a frozen dataclass; the registered builder replaces its fields.
    size_multiple: height and width of the input are multiples of it.
    task: of depth_runtime.spec.TASKS.
    inputs: names of the images that it takes, among depth_runtime.spec.INPUTS; all outputs belong to the first one.
    outputs: name -> stride of each output of the exported contract file, in its order, that of the task first.

    forward takes the inputs by their names, RGB [B, 3, H, W] in 0..255 each -> outputs by name: "disparity"
    [B, 1, H, W] px, "depth" [B, 1, H, W] m; "confidence", "instance_center" logits [B, 1, h, w]; "semantic" logits
    [B, classes, h, w] at its stride or at twice that; "instance_offset" [B, 2, h, w] cells. All other keys are for
    training and are not exported.
    """

    config: Any
    size_multiple: int
    task: ClassVar[str]
    inputs: tuple[str, ...]
    outputs: ClassVar[dict[str, int]]

    def spec_fields(self) -> dict[str, Any]:
        """Fields of the spec that only this task has."""
        raise NotImplementedError

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


class StereoNetwork(Network):
    """Base of stereo networks: `config` has a `max_disparity_px`."""

    task = "stereo"
    inputs: tuple[str, ...] = ("left", "right")
    outputs: ClassVar[dict[str, int]] = {"disparity": 1}

    def spec_fields(self) -> dict[str, Any]:
        """The largest disparity that it predicts."""
        return {"max_disparity": float(self.config.max_disparity_px)}


class MonoNetwork(Network):
    """Base of networks of a single camera: `config` has a `canonical_focal_px`, for which their depth is metric."""

    task = "mono"
    inputs: tuple[str, ...] = ("image",)
    outputs: ClassVar[dict[str, int]] = {"depth": 1}

    def spec_fields(self) -> dict[str, Any]:
        """The focal length for which its depth is metric."""
        return {"canonical_focal_px": float(self.config.canonical_focal_px)}


def published_maps(network: Network, prediction: dict[str, Tensor], width: int) -> dict[str, Tensor]:
    """Outputs of a network as the contract file publishes them, in the order of network.outputs.

    width: that of the input. disparity, depth, confidence, instance_center: float32 [B, h, w]; semantic: uint8
    [B, h, w]; instance_offset: float32 [B, 2, h, w].
    """
    return {name: _published(name, prediction[name], width // stride) for name, stride in network.outputs.items()}


def _published(name: str, value: Tensor, width: int) -> Tensor:
    if name == "semantic":
        logits = double(value) if value.shape[-1] < width else value
        return logits.argmax(1).to(torch.uint8)
    if name == "instance_offset":
        return value
    return torch.sigmoid(value[:, 0]) if name in ("confidence", "instance_center") else value[:, 0]


def network_spec(
    network: Network,
    name: str,
    version: str,
    training: dict[str, Any] | None = None,
    metrics: dict[str, Any] | None = None,
    default_size: tuple[int, int] = DEFAULT_SIZE,
) -> ModelSpec:
    """Spec of a network's contract file; training and metrics are metadata about it.

    default_size: (height, width) in pixels that it predicts best at.
    """
    return ModelSpec(
        name=name,
        version=version,
        task=network.task,
        size_multiple=network.size_multiple,
        default_size=default_size,
        inputs=network.inputs,
        outputs=dict(network.outputs),
        labels=LABELS if "semantic" in network.outputs else (),
        training=training or {},
        metrics=metrics or {},
        **network.spec_fields(),
    )
