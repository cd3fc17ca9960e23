# SPDX-License-Identifier: Apache-2.0
"""Weights on disk: FP16 tensors beside the name of their network, loadable without running code.

A checkpoint of a training run (last.pt) is read as such a file of its averaged weights: those that were scored.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from depth_runtime.files.atomic import replacing
from torch import Tensor, nn

from .registry import build

_METADATA = "facts"  # key in the file, as in every file that is stored


def save_weights(
    path: str | Path, network_name: str, network: nn.Module, config: dict[str, Any] | None = None, **metadata: Any
) -> None:
    """Write the network's tensors as FP16, with plain metadata (recipe, data) beside them, in one step.

    config: the overrides that the network was built with.
    """
    halves = {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}
    content = {"network": network_name, "config": config or {}, "weights": halves, _METADATA: metadata}
    with replacing(Path(path)) as temporary, temporary.open("wb") as file:
        torch.save(content, file)  # given a path, it would put that path into the file


def load_weights(path: str | Path) -> tuple[nn.Module, str, dict[str, Any]]:
    """Network (FP32, eval mode), its name and its metadata from a file of `save_weights` or from a checkpoint.

    Raises ValueError when the file holds something else or does not fit the network.
    """
    data = _read(path)
    network = build(data["network"], **data.get("config", {}))
    try:
        network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in data["weights"].items()})
    except RuntimeError as error:
        raise ValueError(
            f"expected weights of '{data['network']}' in {path}, got {error}; train or convert them again"
        ) from error
    return network.eval(), data["network"], data.get(_METADATA, {})


def average_weights(paths: Sequence[str | Path], out: str | Path) -> None:
    """Write the mean of several trainings of one network, with the metadata of each.

    Runs from one start end near each other, and their mean is mostly better than each (Wortsman et al., "Model soups",
    ICML 2022). Raises ValueError for fewer than two files, or files of different networks.
    """
    if len(paths) < 2:
        raise ValueError(f"expected two or more weights files to average, got {len(paths)}; name more")
    files = [_read(path) for path in paths]
    first = files[0]
    for path, data in zip(paths, files, strict=True):
        if (data["network"], data.get("config")) != (first["network"], first.get("config")):
            raise ValueError(
                f"expected weights of '{first['network']}' {first.get('config')} like {paths[0]}, "
                f"got '{data['network']}' {data.get('config')} in {path}; average runs of one network"
            )
    network = build(first["network"], **first.get("config", {}))
    network.load_state_dict({name: _mean([data["weights"][name] for data in files]) for name in first["weights"]})
    metadata = {"averaged": [data.get(_METADATA, {}) for data in files]}
    save_weights(out, first["network"], network, first.get("config"), **metadata)


def _mean(tensors: list[Tensor]) -> Tensor:
    """Mean of floating-point tensors; of counters the first."""
    return torch.stack(tensors).float().mean(0) if tensors[0].is_floating_point() else tensors[0]


def _read(path: str | Path) -> dict[str, Any]:
    with open(path, "rb") as file:  # what else a file may hold makes torch fail in many ways
        data = torch.load(path, map_location="cpu", weights_only=True) if zipfile.is_zipfile(file) else None
    if not isinstance(data, dict) or not {"network", "weights"} <= set(data):
        raise ValueError(
            f"expected a weights file (weights.pt) or a checkpoint (last.pt) of a training run at {path}, got another "
            "file; check the path"
        )
    return _averaged(data) if "ema" in data else data


def _averaged(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint as the content of a weights file; its "weights" are those of the last step, noisier than "ema"."""
    config = checkpoint.get("network_config", {})
    return {
        "network": checkpoint["network"],
        "config": {key: tuple(value) if isinstance(value, list) else value for key, value in config.items()},
        "weights": checkpoint["ema"],
        _METADATA: {
            "recipe": without_folders(checkpoint.get("recipe", {})),
            "trained_at_revision": checkpoint.get("git_revision", ""),
        },
    }


def without_folders(value: Any) -> Any:
    """A recipe (plain values) that can be published: of every absolute path only the last name is left."""
    if isinstance(value, dict):
        return {key: without_folders(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(part) for part in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
