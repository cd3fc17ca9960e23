# SPDX-License-Identifier: Apache-2.0
"""Checkpoints that rebuild themselves: network, recipe and everything that an exact resume needs, in one file."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from depth_models import LABELS, Network, git_revision
from depth_runtime.files.atomic import replacing
from torch import nn

from .config import TrainConfig
from .network_setup import build_network

SCHEMA = 3
KEYS = ("schema", "network", "network_config", "recipe", "spec", "git_revision", "weights", "ema", "state")


def spec_fields(network: Network) -> dict[str, Any]:
    """What the exported file's spec will say of a network, as plain values."""
    return {
        "task": network.task,
        "size_multiple": network.size_multiple,
        **network.spec_fields(),
        "outputs": dict(network.outputs),
        "labels": [label.name for label in LABELS] if "semantic" in network.outputs else [],
    }


def write_checkpoint(
    path: Path,
    network: Network,
    ema: dict[str, torch.Tensor],
    recipe: dict[str, Any],
    state: dict[str, Any],
) -> None:
    """Write a checkpoint in one step: a run that is killed meanwhile leaves the last one whole.

    recipe: the run's config as plain values; state: plain values and tensors that the trainer resumes from. Raises
    FloatingPointError when the weights are no longer finite, and OSError when there is no room; both write nothing.
    """
    weights = network.state_dict()
    broken = [name for name, value in weights.items() if not value.isfinite().all()]
    if broken:
        raise FloatingPointError(f"expected finite weights, got others in {broken[:3]}; resume {path} with less rate")
    data = {
        "schema": SCHEMA,
        "network": recipe["network"]["name"],
        "network_config": recipe["network"]["config"],
        "recipe": recipe,
        "spec": spec_fields(network),
        "git_revision": git_revision(),
        "weights": weights,
        "ema": ema,
        "state": state,
    }
    _replace_file(path, data)


def _replace_file(path: Path, data: dict[str, Any]) -> None:
    try:
        with replacing(path, durable=True) as temporary, temporary.open("wb") as file:
            torch.save(data, file)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as either
        free_mb = shutil.disk_usage(path.parent).free / 1e6
        raise OSError(f"expected room for {path}, got {error} with {free_mb:.0f} MB free; make room there") from error


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU; no code is run (weights_only).

    Raises ValueError for a file that is no checkpoint of this schema.
    """
    data = torch.load(path, map_location="cpu", weights_only=True)
    missing = sorted(set(KEYS) - set(data)) if isinstance(data, dict) else list(KEYS)
    if missing:
        raise ValueError(f"expected a checkpoint in {path}, got another file (missing {missing}); check the path")
    if data["schema"] != SCHEMA:
        raise ValueError(
            f"expected a checkpoint of schema {SCHEMA} in {path}, got schema {data['schema']}; finish that run with "
            "the version of depth_training that began it, or begin another with network.start_weights and a new --out"
        )
    return data


def rebuild_network(data: dict[str, Any]) -> nn.Module:
    """The averaged network of a checkpoint, in eval mode, from the checkpoint alone."""
    network = build_network(data["network"], data["network_config"])
    network.load_state_dict(data["ema"])
    return network.eval()


def require_same_recipe(path: Path, recipe: dict[str, Any], own: dict[str, Any]) -> None:
    """Raise ValueError, with the keys that differ, unless two recipes train alike; what only reports may differ.

    Keys younger than the checkpoint had the effect of their default.
    """
    default = asdict(TrainConfig())
    recipe = {
        section: {**value, **recipe.get(section, {})} if isinstance(value, dict) else recipe.get(section, value)
        for section, value in default.items()
    }
    differing = [
        f"{section}.{key}" if isinstance(value, dict) else section
        for section, value in own.items()
        for key in (value if isinstance(value, dict) else [section])
        if section not in ("log", "validation") and recipe.get(section) != value
        if not isinstance(value, dict) or recipe.get(section, {}).get(key) != value[key]
    ]
    if differing:
        raise ValueError(f"expected the recipe of {path}, got other values of {differing}; use another --out")
