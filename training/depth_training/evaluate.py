# SPDX-License-Identifier: Apache-2.0
"""Accuracy of stereo methods on the same true pixels, with the time per frame of the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from depth_runtime.confidence_metrics import density_curve
from depth_runtime.distance_metrics import DistanceErrors
from depth_runtime.metrics import depth_errors, disparity_errors
from tqdm import tqdm

from .data import Dataset, Sample
from .stereo_methods import Answer, Method

FIGURES = ("epe", "d1", "bad1", "bad2", "bad3", "density")
# Areas under the curve of bad-3 by density: as the method's confidence sorts the pixels, and as its errors would.
CONFIDENCE_FIGURES = ("auc", "best_auc")
DEPTH_FIGURES = ("abs_rel", "sq_rel", "rmse", "rmse_log", "delta1", "delta2", "delta3")
NO_FIGURES = dict.fromkeys((*CONFIDENCE_FIGURES, *DEPTH_FIGURES), float("nan"))
_BAD_PX = 3.0
MAX_DEPTH_M = 80.0  # as on KITTI and DrivingStereo
Row = dict[str, object]
Watcher = Callable[[str, Sample, str, Answer], None]


@dataclass
class Evaluation:
    """rows: one per pair, method and part; by_distance: depth errors by (data set, method) where cameras are known."""

    rows: list[Row] = field(default_factory=list)
    by_distance: dict[tuple[str, str], DistanceErrors] = field(default_factory=dict)


def evaluate(
    sets: Mapping[str, Dataset], methods: Mapping[str, Method], max_disparity_px: float, watch: Watcher | None = None
) -> Evaluation:
    """Rows with dataset, id, method, part, FIGURES, CONFIDENCE_FIGURES, DEPTH_FIGURES (NaN if unknown), milliseconds.

    All methods meet the pair one after another, so that a slow moment of the machine hits all of them; the first
    call at a new image size is repeated, because it allocates. True disparities above max_disparity_px do not count.
    `watch` sees each answer. Raises ValueError for a sample without a right view or true disparity.
    """
    result, known_sizes = Evaluation(), set()
    for dataset, sample in _samples(sets):
        truth_px = _limited(sample, max_disparity_px)
        for name, method in methods.items():
            if (name, sample.left.shape) not in known_sizes:
                method(sample.left, sample.right)
                known_sizes.add((name, sample.left.shape))
            start = time.perf_counter()
            answer = method(sample.left, sample.right)
            milliseconds = 1e3 * (time.perf_counter() - start)
            for part, keep in {"": None, **answer.parts}.items():
                errors = disparity_errors(answer.disparity_px, truth_px, keep)
                row = {"dataset": dataset, "id": sample.name.removeprefix(f"{dataset}/"), "method": name, "part": part}
                row |= {figure: errors[figure] for figure in FIGURES}
                row |= NO_FIGURES if part else _further_figures(result, dataset, name, sample, truth_px, answer)
                result.rows.append(row | {"milliseconds": milliseconds})
            if watch:
                watch(dataset, sample, name, answer)
    return result


def _samples(sets: Mapping[str, Dataset]) -> Iterator[tuple[str, Sample]]:
    with tqdm(total=sum(map(len, sets.values())), desc="evaluate") as bar:
        for name, dataset in sets.items():
            for index in range(len(dataset)):
                yield name, dataset[index]
                bar.update()


def _limited(sample: Sample, max_disparity_px: float) -> np.ndarray:
    """True disparity float32 [H, W], NaN where unknown or above the maximum."""
    if sample.right is None or sample.disparity_px is None:
        missing = "right view" if sample.right is None else "true disparity"
        raise ValueError(f"expected stereo pairs with truth, got no {missing} in '{sample.name}'; choose another set")
    with np.errstate(invalid="ignore"):
        return np.where(sample.disparity_px <= max_disparity_px, sample.disparity_px, np.float32(np.nan))


def _further_figures(
    result: Evaluation, dataset: str, method: str, sample: Sample, truth_px: np.ndarray, answer: Answer
) -> dict[str, float]:
    """CONFIDENCE_FIGURES and DEPTH_FIGURES of a pair; its depth is added to `result.by_distance`."""
    figures = dict(NO_FIGURES)
    scored = (truth_px > 0) & np.isfinite(answer.disparity_px)
    if answer.confidence is not None and scored.any():
        wrong = 100.0 * (np.abs(answer.disparity_px - truth_px)[scored] > _BAD_PX)
        curve = density_curve(wrong, answer.confidence[scored])
        figures |= {"auc": curve.auc, "best_auc": curve.best_auc}
    truth_m = sample.depth_of(truth_px)
    if truth_m is not None:
        predicted_m = sample.depth_of(answer.disparity_px)
        errors = depth_errors(predicted_m, truth_m, max_depth_m=MAX_DEPTH_M)
        figures |= {name: value for name, value in errors.items() if name in figures}
        result.by_distance.setdefault((dataset, method), DistanceErrors(MAX_DEPTH_M)).add(predicted_m, truth_m)
    return figures
