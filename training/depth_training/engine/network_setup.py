# SPDX-License-Identifier: Apache-2.0
"""From a recipe to a network and its optimiser."""

from __future__ import annotations

from typing import Any

import depth_models
import torch
from torch import nn

from ..core.distributed import Processes
from ..core.strict_config import check_fields
from .config import NetworkConfig, OptimiserConfig, TrainConfig


def build_network(name: str, config: dict[str, Any]) -> nn.Module:
    """New network `name` with some fields of its config replaced.

    Raises ValueError for an unknown network or field and for a value of another type, with what exists.
    """
    return depth_models.build(name, **checked_config(name, config))


def checked_config(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """The replaced fields of a network's config, lists of TOML as tuples. Raises ValueError as build_network does."""
    return check_fields(depth_models.build(name).config, config, "network.config") if config else {}


def starting_network(config: NetworkConfig) -> nn.Module:
    """The network of a recipe with the weights that it starts from."""
    network = build_network(config.name, config.config)
    if config.backbone_weights:
        network.load_backbone(config.backbone_weights)
    if config.start_weights:
        start, name, _ = depth_models.load_weights(config.start_weights)
        try:
            network.load_state_dict(start.state_dict()) if name == config.name else network.start_from(start)
        except (RuntimeError, ValueError) as error:
            raise ValueError(
                f"expected start_weights that fit '{config.name}', got those of '{name}': {error}"
            ) from error
    freeze(network, config.frozen)
    return network


def freeze(network: nn.Module, parts: tuple[str, ...]) -> None:
    """Take parts of a network, by module name, out of training. Raises ValueError, listing what exists, for a miss."""
    modules = dict(network.named_modules())
    for part in parts:
        if part not in modules or not part:
            near = [name for name in modules if name.count(".") == part.count(".") and name]
            raise ValueError(f"expected network.frozen among {near}, got '{part}'; correct the name")
        modules[part].requires_grad_(False)


def check_sizes(config: TrainConfig, size_multiple: int) -> None:
    """Raise ValueError unless the views of a recipe are multiples of what the network takes."""
    for section, views in (("data", config.data), ("unlabelled", config.unlabelled)):
        if views.height % size_multiple or views.width % size_multiple:
            raise ValueError(
                f"expected {section}.height and {section}.width in multiples of {size_multiple} px for "
                f"'{config.network.name}', got {views.height} and {views.width}; change them"
            )


def on_device(network: nn.Module, config: OptimiserConfig, processes: Processes) -> nn.Module:
    """The network on its device; on several GPUs batch norms take their statistics over all of them.

    torch has no such batch norm for CPU processes: there each one normalises by its own part of the batch.
    """
    network = network.to(processes.device, memory_format=torch.channels_last)
    if processes.count > 1 and processes.device.type == "cuda" and config.batch_norm == "train":
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return network


def set_training_mode(network: nn.Module, batch_norm: str) -> None:
    """Training mode; batch norms of frozen parts, or all when `batch_norm` is "frozen", keep their statistics."""
    network.train()
    for module in network.modules():
        is_norm = isinstance(module, nn.modules.batchnorm._BatchNorm)
        if is_norm and (batch_norm == "frozen" or not module.weight.requires_grad):
            module.eval()


def make_optimiser(network: nn.Module, config: OptimiserConfig, encoder_is_trained: bool) -> torch.optim.AdamW:
    """AdamW over the encoder, where there is one, and the rest; `share` of a group is its part of the learning rate."""
    encoder = [p for p in network.encoder.parameters() if p.requires_grad] if network.encoder else []
    inside = {id(parameter) for parameter in encoder}
    rest = [p for p in network.parameters() if p.requires_grad and id(p) not in inside]
    share = config.backbone_share if encoder_is_trained else 1.0
    groups = [{"params": part, "share": s} for part, s in ((rest, 1.0), (encoder, share)) if part]
    fused = groups[0]["params"][0].device.type == "cuda"
    return torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay, fused=fused)
