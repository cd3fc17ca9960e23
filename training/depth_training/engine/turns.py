# SPDX-License-Identifier: Apache-2.0
"""Whose turn it is: steps on labelled pairs and, between them, steps on pairs without truth."""

from __future__ import annotations

from dataclasses import dataclass

from ..batches.stereo_batch import BatchSource
from ..objectives import Objective
from .config import TrainConfig


@dataclass(frozen=True)
class Turn:
    """One kind of step; `name` stands in the log, `weight` is a factor of the whole loss."""

    name: str
    source: BatchSource
    objective: Objective
    weight: float = 1.0


class Turns:
    """A cycle of unlabelled.every labelled steps and one unlabelled step, where the run has unlabelled pairs.

    Whose turn it is follows from the step's number and the run's progress, so that a resumed run goes on alike.
    """

    def __init__(self, config: TrainConfig, labelled: BatchSource, unlabelled: BatchSource | None) -> None:
        self._config = config.unlabelled
        self.labelled = Turn("train", labelled, config.loss.make())
        self.unlabelled = None
        if unlabelled is not None:
            objective = config.unlabelled.make(config.loss.max_disparity_px)
            self.unlabelled = Turn("unlabelled", unlabelled, objective, config.unlabelled.weight)

    def at(self, step: int, progress: float) -> Turn:
        """Turn of step number `step` (from 0) at the fraction `progress` of the run."""
        every = self._config.every
        if self.unlabelled and step % (every + 1) == every and progress >= self._config.from_progress:
            return self.unlabelled
        return self.labelled

    @property
    def positions(self) -> dict[str, int]:
        """Place in each source, by the turn's name."""
        return {turn.name: turn.source.position for turn in (self.labelled, self.unlabelled) if turn}

    @positions.setter
    def positions(self, values: dict[str, int]) -> None:
        for turn in (self.labelled, self.unlabelled):
            if turn:
                turn.source.position = values[turn.name]
