# SPDX-License-Identifier: Apache-2.0
"""The recipes of the repository train: each network predicts what the recipe's objectives need."""

from pathlib import Path

import numpy as np
import pytest
import torch
from depth_runtime.camera import StereoCamera
from depth_training.batches.dataset_source import collate_samples
from depth_training.core.strict_config import read_config
from depth_training.data import Sample
from depth_training.engine.config import TrainConfig
from depth_training.engine.network_setup import build_network, check_sizes

RECIPES = sorted((Path(__file__).parents[2] / "configs").glob("*.toml"))


def pair_of(height: int, width: int) -> Sample:
    """Everything that a data set may know, 4 px away."""
    left, right, regions = np.random.default_rng(0).integers(0, 256, (3, height, width, 3), dtype=np.uint8)
    return Sample(
        left=left,
        right=right,
        disparity_px=np.full((height, width), 4, np.float32),
        occluded=np.zeros((height, width), bool),
        semantic=np.full((height, width), 2, np.uint8),
        instance=np.zeros((height, width), np.uint16),
        regions=regions,
        camera=StereoCamera(50.0, 50.0, width / 2, width / 2, height / 2, 0.5),
    )


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_objectives_of_a_recipe_fit_its_network(path):
    config = read_config(TrainConfig, path)
    network = build_network(config.network.name, config.network.config).train()
    check_sizes(config, network.size_multiple)
    size = 2 * network.size_multiple
    batch = collate_samples([pair_of(size, size)] * 2, torch.device("cpu"))
    with torch.no_grad():
        objective = config.loss.make()
        prediction = batch.predict_with(network, objective.predictions)
        losses = objective(network, prediction, batch)
        if config.unlabelled.dataset:
            objective = config.unlabelled.make(config.loss.max_disparity_px)
            losses |= objective(network, prediction, batch.without_truth())
    assert all(value.isfinite() and value.dim() == 0 for value in losses.values()), losses
    assert sum(losses.values()) > 0
