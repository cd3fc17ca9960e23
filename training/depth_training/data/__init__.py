# SPDX-License-Identifier: Apache-2.0
"""Readers of stereo, depth and segmentation data behind one schema: `make_dataset(name, root, split)[i]` -> Sample."""

from . import (  # noqa: F401  (readers register themselves)
    camvid,
    cityscapes,
    driving_stereo,
    kitti_odometry,
    kitti_raw,
    kitti_stereo,
    listed,
    middlebury,
    plain,
    procedural,
    sceneflow,
    virtual_kitti,
)
from .registry import DATASETS, make_dataset
from .sample import Dataset, Sample

__all__ = ["DATASETS", "Dataset", "Sample", "make_dataset"]
