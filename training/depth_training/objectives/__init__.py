# SPDX-License-Identifier: Apache-2.0
"""What a training run makes small. Importing this package registers every objective; recipes choose one by name."""

from . import multiscale, panoptic_stereo, self_supervised_pair, usam, view_reconstruction
from .registry import MissingAnswerError, Objective, Step, make_objective, objective

__all__ = [
    "MissingAnswerError",
    "Objective",
    "Step",
    "make_objective",
    "multiscale",
    "objective",
    "panoptic_stereo",
    "self_supervised_pair",
    "usam",
    "view_reconstruction",
]
