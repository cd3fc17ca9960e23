# SPDX-License-Identifier: Apache-2.0
"""Recipes of the tiny network on tiny folders, for tests of what a run is fed with."""

from dataclasses import replace

import numpy as np
import tiny_network  # noqa: F401 - registers a network and objectives
import torch
from depth_runtime.files.sequence_folder import TrueFrame, write_frame
from depth_training.batches.config import DataConfig
from depth_training.core.distributed import Processes
from depth_training.engine.config import LogConfig, LossConfig, NetworkConfig, ScheduleConfig, TrainConfig
from depth_training.engine.run_data import RunData
from depth_training.engine.trainer import Trainer

ALONE = Processes(0, 1, torch.device("cpu"))


def write_pairs(folder, brightness: int, count: int = 3, rows: int = 24, columns: int = 40) -> str:
    """A plain folder of pairs of one brightness each, 5 px apart, all of class 2; pair i is brighter by i."""
    for index in range(count):
        image = np.full((rows, columns, 3), brightness + index, np.uint8)
        truth, labels = np.full((rows, columns), 5, np.float32), np.full((rows, columns), 2, np.uint8)
        write_frame(folder, index, TrueFrame(image, image, truth, labels, np.zeros((rows, columns), np.uint16)))
    return str(folder)


def write_folders(root) -> dict[str, str]:
    """Folders of dark, grey and bright pairs, by name."""
    return {name: write_pairs(root / name, value) for name, value in (("dark", 10), ("grey", 100), ("bright", 200))}


def recipe(folders, **sections) -> TrainConfig:
    """Two dark pairs a batch for the tiny network."""
    data = DataConfig(dataset="plain", root=folders["dark"], height=16, width=24, batch=2, augmented=False, threads=1)
    base = TrainConfig(
        network=NetworkConfig(name="tiny"),
        data=data,
        schedule=ScheduleConfig(steps=12, minutes=0.0),
        loss=LossConfig(objective="tiny_truth", max_disparity_px=30.0),
        log=LogConfig(every_steps=1, tensorboard=False),
    )
    return replace(base, **sections)


def make_trainer(config: TrainConfig) -> Trainer:
    data = RunData(config, ALONE)
    return Trainer(config, data.source(), ALONE, data.unlabelled())
