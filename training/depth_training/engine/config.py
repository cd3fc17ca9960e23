# SPDX-License-Identifier: Apache-2.0
"""The recipe of a training run. Defaults stand here, experiments in training/configs/*.toml."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..batches.config import DataConfig, MixConfig, PairsConfig, WorldConfig
from ..objectives import Objective, make_objective

PRECISIONS = ("auto", "bfloat16", "float32")
BATCH_NORMS = ("train", "frozen")


@dataclass(frozen=True)
class NetworkConfig:
    """What is trained, and from what it starts; an empty path means random weights."""

    name: str = "stereo_s"
    config: dict[str, Any] = field(default_factory=dict)  # fields of the network's own config to replace
    start_weights: str = ""  # file of depth_models.save_weights, of this network or one it can start from
    backbone_weights: str = ""  # ImageNet checkpoint of the encoder
    frozen: tuple[str, ...] = ()  # modules that keep their weights and statistics, such as "panoptic"


@dataclass(frozen=True)
class UnlabelledConfig(PairsConfig):
    """Steps on pairs whose truth is hidden, between the labelled ones; none without a data set.

    One such step follows every `every` labelled ones, from the fraction `from_progress` of the run on. batch, height
    and width: 0 = as in [data]. loss: options of the objective.
    """

    batch: int = 0
    height: int = 0
    width: int = 0
    augmented: bool = True
    every: int = 1
    from_progress: float = 0.0
    weight: float = 1.0  # factor of the whole loss
    objective: str = ""
    loss: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.every < 1 or self.weight <= 0:
            raise ValueError(
                f"expected unlabelled.every >= 1 and unlabelled.weight > 0, got {self.every} and {self.weight}; "
                "leave unlabelled.dataset empty to train on labelled pairs only"
            )
        if self.dataset and self.make(1.0).truth:
            raise ValueError(
                f"expected an unlabelled.objective that needs no truth, got '{self.objective}'; truth is hidden there"
            )

    def make(self, max_disparity_px: float) -> Objective:
        """The objective. Raises ValueError, listing what exists, for an unknown name or option."""
        return make_objective(self.objective, self.loss, max_disparity_px, "unlabelled.loss")


@dataclass(frozen=True)
class ValidationConfig(PairsConfig):
    """Held-out pairs or frames that a run is scored on, whole, `pairs` of them spread over the set (0 = all).

    Without a data set: rendered scenes. An empty root is that of [data].
    """

    pairs: int = 0


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW with clipped gradients and averaged weights.

    batch_norm: "frozen" keeps the stored statistics, for small batches in fine-tuning.
    """

    learning_rate: float = 1.2e-3
    backbone_fraction: float = 0.4  # of the learning rate, where the encoder starts from trained weights
    weight_decay: float = 1e-3
    clip_norm: float = 2.0
    ema_decay: float = 0.999
    batch_norm: str = "train"

    def __post_init__(self) -> None:
        _require_one_of("optimiser.batch_norm", self.batch_norm, BATCH_NORMS)


@dataclass(frozen=True)
class ScheduleConfig:
    """Length of the run over all resumed calls: in steps (exactly repeatable) or in minutes; one of both is 0."""

    steps: int = 0
    minutes: float = 18.0
    warm_up: float = 0.04
    final: float = 0.01

    def __post_init__(self) -> None:
        if (self.steps > 0) == (self.minutes > 0):
            raise ValueError(
                f"expected schedule.steps or schedule.minutes > 0 and the other 0, got {self.steps} and {self.minutes}"
            )


@dataclass(frozen=True)
class LossConfig:
    """What training makes small; truth above max_disparity_px does not count.

    objective: a name of depth_training.objectives; options: fields of its own dataclass to replace.
    """

    objective: str = "panoptic_stereo"
    max_disparity_px: float = 188.0
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.make()

    def make(self) -> Objective:
        """The objective. Raises ValueError, listing what exists, for an unknown name or option."""
        return make_objective(self.objective, self.options, self.max_disparity_px, "loss.options")


@dataclass(frozen=True)
class LogConfig:
    """How often a run reports, evaluates and saves; a change of these does not change the training."""

    every_steps: int = 50
    evaluate_minutes: float = 2.5
    validation_batches: int = 2  # of rendered scenes
    tensorboard: bool = True
    panels: int = 4


@dataclass(frozen=True)
class TrainConfig:
    """A whole recipe."""

    seed: int = 0
    precision: str = "auto"  # bfloat16 where the GPU computes it, else float32 (BF16 gradients on a CPU break at times)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    world: WorldConfig = field(default_factory=WorldConfig)
    data: DataConfig = field(default_factory=DataConfig)
    mix: tuple[MixConfig, ...] = ()
    unlabelled: UnlabelledConfig = field(default_factory=UnlabelledConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    log: LogConfig = field(default_factory=LogConfig)

    def __post_init__(self) -> None:
        _require_one_of("precision", self.precision, PRECISIONS)


def _require_one_of(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"expected {key} among {list(choices)}, got '{value}'; correct the file or the override")
