# SPDX-License-Identifier: Apache-2.0
"""One picture per frame of an evaluation: image, truth and predictions side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from depth_models.labels import LABELS
from depth_runtime.drawing import colour_values, overlay_classes, palette
from depth_runtime.files.images import write_png

from ..data import Sample
from .evaluate import Watcher
from .method import Prediction

TILE_WIDTH = 480
_COLOURS = palette({label.id: label.color for label in LABELS})


def sheet_writer(folder: Path) -> Watcher:
    """Writes DATASET_NAME.png for each frame into `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)

    def watch(dataset: str, sample: Sample, predictions: Mapping[str, Prediction]) -> None:
        name = f"{dataset}/{sample.name.removeprefix(f'{dataset}/')}".replace("/", "_")
        write_png(folder / f"{name}.png", sheet(sample, predictions))

    return watch


def sheet(sample: Sample, predictions: Mapping[str, Prediction]) -> np.ndarray:
    """uint8 [h, n * TILE_WIDTH, 3] RGB: left view, then disparity and classes (over the view) of truth and predictions.

    Tiles are left out where there is nothing to show: without a right view there is no disparity.
    """
    pair = sample.right is not None and sample.disparity_px is not None
    known = sample.disparity_px[sample.disparity_px > 0] if pair else np.zeros(0)
    top_px = 1.05 * float(np.percentile(known, 99.5)) if known.size else 64.0
    tiles = [sample.left]
    for shown in (sample, *predictions.values()):
        if pair:
            tiles.append(colour_values(shown.disparity_px, top_px))
        if shown.semantic is not None:
            tiles.append(overlay_classes(sample.left, shown.semantic, shown.instance, _COLOURS, alpha=0.6, thin=True))
    height = round(TILE_WIDTH * sample.left.shape[0] / sample.left.shape[1])
    return np.hstack([cv2.resize(tile, (TILE_WIDTH, height), interpolation=cv2.INTER_AREA) for tile in tiles])
