# SPDX-License-Identifier: Apache-2.0
"""Panoptic quality. Source: Kirillov et al., Panoptic Segmentation (CVPR 2019), section 4.

For each class PQ = sum of IoU over matched segments / (TP + FP / 2 + FN / 2) = SQ * RQ; a predicted segment matches
a true one of its class when their IoU exceeds 0.5. Unlabelled truth counts for neither side.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from .spec import UNLABELLED

_NONE = -1
_INSTANCE_BITS = 16


@dataclass
class _Counts:
    iou: float = 0.0
    matched: int = 0
    predicted: int = 0
    true: int = 0


@dataclass
class PanopticQuality:
    """Adds up frames; `figures` gives the result.

    things: ids of countable classes. Segments of fewer than smallest_px pixels of the frame are left out on both sides.
    """

    things: Collection[int]
    smallest_px: int = 0
    _classes: dict[int, _Counts] = field(default_factory=dict)

    def add(
        self,
        semantic: np.ndarray,
        instance: np.ndarray,
        true_semantic: np.ndarray,
        true_instance: np.ndarray,
    ) -> None:
        """Add one frame: class ids uint8 [H, W], 255 = unlabelled, and instance ids uint16 [H, W], 0 = none."""
        true = self._segments(true_semantic, true_instance)
        predicted = self._segments(semantic, instance)
        labelled = true != _NONE
        predicted_area = _areas(predicted)
        visible_area = _areas(predicted[labelled])
        true_area = {s: n for s, n in _areas(true).items() if n >= self.smallest_px}
        pairs, overlap = np.unique(np.stack((true[labelled], predicted[labelled])), axis=1, return_counts=True)
        matched = set()
        for (segment, other), shared in zip(pairs.T.tolist(), overlap.tolist(), strict=True):
            if segment not in true_area or other == _NONE or segment >> _INSTANCE_BITS != other >> _INSTANCE_BITS:
                continue
            iou = shared / (true_area[segment] + visible_area[other] - shared)
            if iou > 0.5:
                counts = self._of(segment)
                counts.iou += iou
                counts.matched += 1
                matched.add(other)
        for segment in true_area:
            self._of(segment).true += 1
        for other, area in predicted_area.items():
            mostly_labelled = visible_area.get(other, 0) * 2 >= area
            if other in matched or (mostly_labelled and area >= self.smallest_px):
                self._of(other).predicted += 1

    def _segments(self, semantic: np.ndarray, instance: np.ndarray) -> np.ndarray:
        """One number for each segment; _NONE where unlabelled, and on things without an instance."""
        thing = np.isin(semantic, list(self.things))
        segments = semantic.astype(np.int64) << _INSTANCE_BITS
        segments[thing] |= instance[thing]
        segments[(semantic == UNLABELLED) | (thing & (instance == 0))] = _NONE
        return segments

    def _of(self, segment: int) -> _Counts:
        return self._classes.setdefault(segment >> _INSTANCE_BITS, _Counts())

    def by_class(self) -> dict[int, dict[str, float]]:
        """pq, sq and rq (per cent) of each class that occurs in truth or prediction."""
        quality = {}
        for number, counts in sorted(self._classes.items()):
            sq = counts.iou / counts.matched if counts.matched else 0.0
            rq = 2 * counts.matched / (counts.predicted + counts.true)
            quality[number] = {"pq": 100 * sq * rq, "sq": 100 * sq, "rq": 100 * rq}
        return quality

    def figures(self) -> dict[str, float]:
        """pq, sq and rq (per cent), means over the classes that occur, and the same of things and of stuff.

        The latter as pq_things, pq_stuff and so on; NaN when no such class occurs.
        """
        quality, things = self.by_class(), set(self.things)
        groups = {"": set(quality), "_things": set(quality) & things, "_stuff": set(quality) - things}
        return {
            f"{figure}{group}": float(np.mean([quality[n][figure] for n in numbers])) if numbers else float("nan")
            for figure in ("pq", "sq", "rq")
            for group, numbers in groups.items()
        }


def _areas(segments: np.ndarray) -> dict[int, int]:
    ids, counts = np.unique(segments, return_counts=True)
    return {int(s): int(n) for s, n in zip(ids, counts, strict=True) if s != _NONE}
