# SPDX-License-Identifier: Apache-2.0
"""The one list of objectives: each registers itself under a name, with the dataclass of its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from depth_runtime.spec import UNLABELLED
from torch import Tensor, nn

from ..batches.stereo_batch import StereoBatch
from ..core.strict_config import parse


class MissingPredictionError(ValueError):
    """An objective needs something that the network does not predict."""


@dataclass(frozen=True)
class Step:
    """What an objective judges.

    network: the bare module, in training mode (in eval mode for validation); prediction: what it gave for `batch`,
    where a key that it did not give raises MissingPredictionError; options: an instance of the objective's dataclass.
    """

    network: nn.Module
    prediction: dict[str, Any]
    batch: StereoBatch
    options: Any
    max_disparity_px: float


Losses = Callable[[Step], dict[str, Tensor]]


@dataclass(frozen=True)
class _Registered:
    losses: Losses
    options: type
    predictions: tuple[str, ...]
    truth: tuple[str, ...]


# Map of StereoBatch -> whether it tells anything, given the largest disparity that counts.
KNOWN_TRUTH: dict[str, Callable[[StereoBatch, float], bool]] = {
    "disparity_px": lambda batch, top_px: bool(((batch.disparity_px >= 0) & (batch.disparity_px < top_px)).any()),
    "depth_m": lambda batch, _: bool((batch.canonical_depth_m(1.0) > 0).any()),
    "semantic": lambda batch, _: bool((batch.semantic != UNLABELLED).any()),
}
_OBJECTIVES: dict[str, _Registered] = {}


def objective(
    name: str, options: type, predictions: tuple[str, ...] = (), truth: tuple[str, ...] = ()
) -> Callable[[Losses], Losses]:
    """Decorator that registers a function Step -> weighted 0-dimensional losses by name, in FP32.

    options: frozen dataclass with defaults; `[loss.options]` of a recipe replaces its fields. predictions: the only
    ones that it reads, so that others need not be computed; empty = any. truth: keys of KNOWN_TRUTH of which it needs
    one to learn anything; empty = it needs none. Means over pixels should be distributed.masked_mean, so that they do
    not depend on the number of processes. Raises ValueError when the name is taken.
    """

    def add(losses: Losses) -> Losses:
        if name in _OBJECTIVES:
            raise ValueError(f"expected a new objective name, got '{name}' a second time; choose another name")
        _OBJECTIVES[name] = _Registered(losses, options, predictions, truth)
        return losses

    return add


class _Prediction(dict):
    """A prediction whose missing keys say who needs them."""

    def __init__(self, values: Mapping[str, Any], objective_name: str, network_name: str) -> None:
        super().__init__(values)
        self._names = objective_name, network_name

    def __missing__(self, key: str) -> Any:
        of_objective, of_network = self._names
        raise MissingPredictionError(
            f"expected objective '{of_objective}' to fit the network, but it needs '{key}' and {of_network} predicts "
            f"{sorted(self)}; choose another objective or network"
        )


@dataclass(frozen=True)
class Objective:
    """A registered objective with its options."""

    name: str
    options: Any
    max_disparity_px: float

    def __call__(self, network: nn.Module, prediction: Mapping[str, Any], batch: StereoBatch) -> dict[str, Tensor]:
        """Weighted losses by name. Raises MissingPredictionError where the network does not predict what is needed."""
        checked = _Prediction(prediction, self.name, type(network).__name__)
        return _OBJECTIVES[self.name].losses(Step(network, checked, batch, self.options, self.max_disparity_px))

    @property
    def predictions(self) -> tuple[str, ...]:
        """Names of the predictions that it reads; empty = any."""
        return _OBJECTIVES[self.name].predictions

    @property
    def truth(self) -> tuple[str, ...]:
        """Keys of KNOWN_TRUTH of which it needs one; empty = it needs none."""
        return _OBJECTIVES[self.name].truth

    def can_learn_from(self, batch: StereoBatch) -> bool:
        """True where the batch holds truth that the objective uses, or where it needs none."""
        return not self.truth or any(KNOWN_TRUTH[name](batch, self.max_disparity_px) for name in self.truth)


def make_objective(name: str, options: Mapping[str, Any], max_disparity_px: float, section: str) -> Objective:
    """The objective of a recipe; section: where its options stand there, for messages.

    Raises ValueError, listing what exists, for an unknown objective or option and for a value of another type.
    """
    if name not in _OBJECTIVES:
        raise ValueError(f"expected an objective among {sorted(_OBJECTIVES)}, got '{name}'; check the name")
    return Objective(name, parse(_OBJECTIVES[name].options, options, section), max_disparity_px)
