# SPDX-License-Identifier: Apache-2.0
"""The one list of data sets: every reader registers itself under a name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from .sample import Dataset

Factory = Callable[..., Dataset]
F = TypeVar("F", bound=Factory)
DATASETS: dict[str, Factory] = {}


def register(name: str) -> Callable[[F], F]:
    """Decorator that puts a reader into DATASETS. Raises ValueError when the name is taken."""

    def add(factory: F) -> F:
        if name in DATASETS:
            raise ValueError(f"expected a new data set name, got '{name}' a second time; choose another name")
        DATASETS[name] = factory
        return factory

    return add


def make_dataset(name: str, root: str | Path, split: str | None = None, **options: Any) -> Dataset:
    """The data set `name` in the folder `root`.

    split: a part that the set itself publishes, None for the reader's default; options: those of the reader.
    Raises ValueError, listing what exists, for an unknown name or option, and naming the path when a file is
    missing or broken.
    """
    if name not in DATASETS:
        raise ValueError(f"expected a data set among {sorted(DATASETS)}, got '{name}'; check the name")
    known = [p for p in inspect.signature(DATASETS[name]).parameters if p not in ("root", "split")]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(f"expected options of '{name}' among {known}, got {unknown}; check their spelling")
    return DATASETS[name](Path(root).expanduser(), **({} if split is None else {"split": split}), **options)


def check_split(split: str, known: tuple[str, ...]) -> str:
    """The split itself. Raises ValueError, listing `known`, when it is not one of them."""
    if split not in known:
        raise ValueError(f"expected a split among {list(known)}, got '{split}'; choose one of them")
    return split
