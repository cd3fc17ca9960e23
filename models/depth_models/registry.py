# SPDX-License-Identifier: Apache-2.0
"""The one list of networks: every network module registers its builders under a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

from torch import nn

Builder = Callable[..., nn.Module]
Config = TypeVar("Config")
_BUILDERS: dict[str, Builder] = {}


def register(name: str) -> Callable[[Builder], Builder]:
    """Decorator that puts a network builder into the registry. Raises ValueError when the name is taken."""

    def add(builder: Builder) -> Builder:
        if name in _BUILDERS:
            raise ValueError(f"expected a new network name, got '{name}' a second time; choose another name")
        _BUILDERS[name] = builder
        return builder

    return add


def build(name: str, **overrides: Any) -> nn.Module:
    """New network with random weights; overrides replace fields of its config.

    Raises ValueError, listing what exists, for an unknown network or config field.
    """
    if name not in _BUILDERS:
        raise ValueError(f"expected a network among {names()}, got '{name}'; check the name")
    return _BUILDERS[name](**overrides)


def names() -> list[str]:
    """Names of all registered networks, sorted."""
    return sorted(_BUILDERS)


def with_overrides(config: Config, overrides: dict[str, Any]) -> Config:
    """A network's config (frozen dataclass) with some fields replaced.

    Raises ValueError, listing the fields, for an unknown one.
    """
    known = [f.name for f in fields(config)]
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise ValueError(f"expected config fields among {known}, got {unknown}; check the spelling")
    return replace(config, **overrides)
