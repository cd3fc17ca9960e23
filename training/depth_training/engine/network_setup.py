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


def starting_metadata(config: NetworkConfig) -> dict[str, Any]:
    """What the file that a recipe starts from says of its own training; empty without one."""
    return depth_models.load_weights(config.start_weights)[2] if config.start_weights else {}


def freeze(network: nn.Module, parts: tuple[str, ...]) -> None:
    """Take modules or parameters of a network, by name, out of training.

    Raises ValueError, listing what exists, for a miss.
    """
    known = {name: part for name, part in (*network.named_modules(), *network.named_parameters()) if name}
    for name in parts:
        if name not in known:
            near = [other for other in known if other.count(".") == name.count(".")]
            raise ValueError(f"expected network.frozen among {near}, got '{name}'; correct the name")
        known[name].requires_grad_(False)


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
    """AdamW over the encoder, where there is one, and the rest; `fraction` of a group is that of the learning rate."""
    encoder = [p for p in network.encoder.parameters() if p.requires_grad] if network.encoder else []
    inside = {id(parameter) for parameter in encoder}
    rest = [p for p in network.parameters() if p.requires_grad and id(p) not in inside]
    fraction = config.backbone_fraction if encoder_is_trained else 1.0
    groups = [{"params": part, "fraction": f} for part, f in ((rest, 1.0), (encoder, fraction)) if part]
    if not groups:
        raise ValueError("expected a part of the network to train, got network.frozen for all; leave one out of it")
    fused = groups[0]["params"][0].device.type == "cuda"
    return torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay, fused=fused)
