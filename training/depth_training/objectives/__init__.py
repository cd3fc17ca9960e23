# SPDX-License-Identifier: Apache-2.0
"""What a training run makes small. Importing this package registers every objective; recipes choose one by name."""

from . import (
    mono_supervised,
    multiscale,
    panoptic,
    panoptic_stereo,
    self_supervised_pair,
    usam,
    view_reconstruction,
)
from .registry import MissingPredictionError, Objective, Step, make_objective, objective

__all__ = [
    "MissingPredictionError",
    "Objective",
    "Step",
    "make_objective",
    "mono_supervised",
    "multiscale",
    "objective",
    "panoptic",
    "panoptic_stereo",
    "self_supervised_pair",
    "usam",
    "view_reconstruction",
]
