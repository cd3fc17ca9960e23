# SPDX-License-Identifier: Apache-2.0
"""Train the panoptic head on CamVid and labelled synthetic frames, with the stereo network frozen.

The run may be stopped at any time and continued with --resume: the schedule follows the share of the time
budget that is used. OUT receives last.pt (state), weights.pt (FP16) and metrics.json.
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from depth_models import LABELS, load_weights, save_weights
from torch.utils.data import ConcatDataset

from ..data import make_dataset
from ..engine.segmentation import SegmentationConfig, SegmentationTraining, segmentation_confusion
from ..panoptic.frames import LabelledFrames

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    default = SegmentationConfig()
    parser.add_argument("--camvid", type=Path, required=True, help="folder with train/ and val/")
    parser.add_argument(
        "--synthetic", type=Path, action="append", default=[], help="plain sequence folder with labels; repeatable"
    )
    parser.add_argument("--weights", type=Path, required=True, help="weights file to start from")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--minutes", type=float, default=default.minutes, help="budget over all resumed calls")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", action="store_true", help="continue from OUT/last.pt")


def run(arguments: argparse.Namespace) -> None:
    """Train, validate on CamVid's val folder and write the results."""
    torch.set_num_threads(arguments.threads)
    network, name, facts = load_weights(arguments.weights)
    config = SegmentationConfig(minutes=arguments.minutes, seed=arguments.seed)
    folders = [LabelledFrames(make_dataset("plain", folder, stereo=False)) for folder in arguments.synthetic]
    synthetic = ConcatDataset(folders) if folders else None
    arguments.out.mkdir(parents=True, exist_ok=True)
    checkpoint = arguments.out / "last.pt"
    train, val = (LabelledFrames(make_dataset("camvid", arguments.camvid, split)) for split in ("train", "val"))
    training = SegmentationTraining(network, train, synthetic, config)
    if arguments.resume and checkpoint.exists():
        training.resume(checkpoint)
    training.run(checkpoint)
    matrix = segmentation_confusion(network, val, config.height, config.width)
    metrics = {"camvid_val": report(matrix), "steps": training.step}
    recipe = asdict(config) | {"synthetic_frames": len(synthetic or ()), "steps": training.step}
    facts["segmentation"] = [*facts.get("segmentation", []), recipe]  # one entry per run of a chain of runs
    save_weights(arguments.out / "weights.pt", name, network, **facts)
    (arguments.out / "metrics.json").write_text(json.dumps(metrics, indent=1))
    log.info(json.dumps(metrics, indent=1))


def report(matrix: np.ndarray) -> dict[str, object]:
    """Mean IoU, pixel accuracy and IoU per class, in per cent, of a confusion matrix.

    Classes without a true pixel are left out; what is wrongly called one of them still counts as an error.
    """
    hits = np.diag(matrix)
    true = matrix.sum(1)
    union = matrix[:, : len(hits)].sum(0) + true - hits
    per_class = {
        label.name: round(100 * float(hits[label.id] / union[label.id]), 2) for label in LABELS if true[label.id] > 0
    }
    return {
        "miou": round(float(np.mean(list(per_class.values()))), 2),
        "pixel_accuracy": round(100 * float(hits.sum() / max(1, matrix.sum())), 2),
        "iou": per_class,
    }
