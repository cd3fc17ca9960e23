# SPDX-License-Identifier: Apache-2.0
"""Readers of stereo, depth and segmentation data behind one schema: `make_dataset(name, root, split)[i]` -> Sample."""

from . import plain  # noqa: F401  (readers register themselves)
from .registry import DATASETS, make_dataset
from .sample import Dataset, Sample

__all__ = ["DATASETS", "Dataset", "Sample", "make_dataset"]
