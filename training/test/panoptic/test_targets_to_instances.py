# SPDX-License-Identifier: Apache-2.0
"""What the panoptic head is taught is what the runtime groups back into the labelled instances."""

import numpy as np
import pytest
import torch
from depth_models import LABELS
from depth_runtime.instances import group_instances
from depth_training.panoptic.batch_targets import panoptic_batch_targets

VEHICLE = next(label.id for label in LABELS if label.name == "vehicle")


@pytest.mark.parametrize("turned", [False, True], ids=["above one another", "side by side"])
def test_two_objects_that_touch_come_back_from_their_targets(turned):
    instance = torch.zeros(1, 160, 160, dtype=torch.int64)
    instance[:, 16:60, 16:140] = 1  # 11 x 31 cells, so that the middle is a cell
    instance[:, 60:104, 16:140] = 2
    instance = instance.mT if turned else instance
    semantic = torch.where(instance > 0, VEHICLE, 0)
    targets = panoptic_batch_targets(semantic, instance, torch.ones(1, dtype=torch.bool))
    labelled = instance[0, 1::4, 1::4].numpy()
    groups = group_instances(targets["heat"][0, 0].numpy(), targets["offset"][0].numpy(), labelled > 0)
    np.testing.assert_array_equal(groups, labelled)
