# SPDX-License-Identifier: Apache-2.0
"""What the panoptic head is taught is what the runtime groups back into the labelled instances."""

import numpy as np
import pytest
import torch
from depth_models import LABELS
from depth_runtime.instances import group_instances
from depth_training.panoptic.batch_targets import panoptic_batch_targets

VEHICLE = next(label.id for label in LABELS if label.name == "vehicle")


@pytest.mark.parametrize("axis", [0, 1], ids=["above one another", "side by side"])
def test_two_objects_that_touch_come_back_from_their_targets(axis):
    instance = torch.zeros(1, 128, 160, dtype=torch.int64)
    instance[:, 16:112, 16:144] = 1
    instance[:, slice(64, 112) if axis == 0 else slice(16, 112), slice(80, 144) if axis == 1 else slice(16, 144)] = 2
    semantic = torch.where(instance > 0, VEHICLE, 0)
    targets = panoptic_batch_targets(semantic, instance, torch.ones(1, dtype=torch.bool))
    labelled = instance[0, 1::4, 1::4].numpy()
    groups = group_instances(targets["heat"][0, 0].numpy(), targets["offset"][0].numpy(), labelled > 0)
    assert (groups > 0).sum() == (labelled > 0).sum()
    pairs = np.unique(np.stack((groups[labelled > 0], labelled[labelled > 0])), axis=1)
    assert pairs.shape == (2, 2)  # one group for each object
    assert sorted(pairs[0]) == [1, 2]
