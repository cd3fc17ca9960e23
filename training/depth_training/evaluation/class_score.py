# SPDX-License-Identifier: Apache-2.0
"""Classes and instances of a whole data set: one confusion matrix and one panoptic quality, never means of frames."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from depth_models.labels import LABELS
from depth_runtime.metrics import class_iou, confusion, mean_iou
from depth_runtime.panoptic_quality import PanopticQuality

THINGS = frozenset(label.id for label in LABELS if label.thing)
# Headings of the table by figure, all in per cent.
CLASS_COLUMNS = {
    "miou": "mIoU %",
    "pixel_accuracy": "pixels right %",
    "pq": "PQ %",
    "pq_things": "PQ things",
    "pq_stuff": "PQ stuff",
    "sq": "SQ %",
    "rq": "RQ %",
}


@dataclass
class ClassScore:
    """Adds up labelled frames of one data set for one method.

    one_view: the frames have no right view, so the network saw the left one with both eyes.
    """

    one_view: bool
    frames: int = 0
    frames_with_instances: int = 0
    matrix: np.ndarray = field(default_factory=lambda: np.zeros((len(LABELS), len(LABELS) + 1), np.int64))
    quality: PanopticQuality = field(default_factory=lambda: PanopticQuality(THINGS))

    def add(
        self,
        semantic: np.ndarray,
        instance: np.ndarray | None,
        true_semantic: np.ndarray,
        true_instance: np.ndarray | None,
    ) -> None:
        """Add one frame: ids uint8 [H, W] of LABELS, 255 = unlabelled; instances uint16 [H, W], 0 = stuff, or None.

        Raises ValueError when the sizes differ.
        """
        if semantic.shape != true_semantic.shape:
            raise ValueError(f"expected classes of the truth's size {true_semantic.shape}, got {semantic.shape}")
        self.frames += 1
        self.matrix += confusion(semantic, true_semantic, len(LABELS))
        if instance is not None and true_instance is not None:
            self.frames_with_instances += 1
            self.quality.add(semantic, instance, true_semantic, true_instance)

    def figures(self) -> dict[str, float]:
        """miou, pixel_accuracy and those of PanopticQuality (NaN without instances), in per cent."""
        right = 100 * float(np.trace(self.matrix)) / max(1, int(self.matrix.sum()))
        return {"miou": mean_iou(self.matrix), "pixel_accuracy": right, **self.quality.figures()}

    def details(self) -> dict[str, object]:
        """All that is known: frames, figures, IoU and panoptic quality of each class by name, confusion counts."""
        iou = class_iou(self.matrix)
        names = {label.id: label.name for label in LABELS}
        return {
            "frames": self.frames,
            "frames_with_instances": self.frames_with_instances,
            "one_view": self.one_view,
            **self.figures(),
            "iou": {label.name: float(iou[label.id]) for label in LABELS if np.isfinite(iou[label.id])},
            "quality": {names[number]: value for number, value in self.quality.by_class().items()},
            "confusion": self.matrix.tolist(),
        }
