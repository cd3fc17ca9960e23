# SPDX-License-Identifier: Apache-2.0
"""What a training run makes small. Importing this package registers every objective; recipes choose one by name."""

from . import panoptic_stereo
from .registry import MissingAnswerError, Objective, Step, make_objective, objective

__all__ = ["MissingAnswerError", "Objective", "Step", "make_objective", "objective", "panoptic_stereo"]
