# SPDX-License-Identifier: Apache-2.0
"""Accuracy of stereo methods on the same true pixels, with the time per frame of the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from depth_runtime.confidence_metrics import DensityCurve, density_curve
from depth_runtime.distance_metrics import DistanceErrors
from depth_runtime.metrics import depth_errors, disparity_errors, garg_crop
from tqdm import tqdm

from ..data import Dataset, Sample
from .class_score import ClassScore
from .method import IMAGES, Method, Prediction

FIGURES = ("epe", "d1", "bad1", "bad2", "bad3", "density")
# Areas under the curve of bad-3 by density: as the method's confidence sorts the pixels, and as its errors would.
CONFIDENCE_FIGURES = ("auc", "best_auc")
_DEPTH = ("abs_rel", "sq_rel", "rmse", "rmse_log", "delta1", "delta2", "delta3")
# scaled_: after each image's prediction was scaled to the median of its truth.
DEPTH_FIGURES = (*_DEPTH, *(f"scaled_{name}" for name in _DEPTH))
NO_FIGURES = dict.fromkeys((*CONFIDENCE_FIGURES, *DEPTH_FIGURES), float("nan"))
CROPS = ("none", "garg")
_BAD_PX = 3.0
Row = dict[str, object]
Watcher = Callable[[str, Sample, Mapping[str, Prediction]], None]


@dataclass(frozen=True)
class Limits:
    """Which true pixels count: larger disparities do not; for depth, neither do farther ones nor those off the crop.

    crop: "garg" scores depth inside the crop of KITTI's Eigen split only. 80 m are the limit of KITTI's papers.
    """

    max_disparity_px: float = 192.0
    max_depth_m: float = 80.0
    crop: str = "none"

    def __post_init__(self) -> None:
        if self.crop not in CROPS:
            raise ValueError(f"expected a crop among {list(CROPS)}, got '{self.crop}'; choose one of them")


@dataclass
class Evaluation:
    """What was measured, all but the rows by (data set, method).

    rows: one per pair, method and part; by_distance: depth errors where cameras are known; by_density: bad-3 of each
    pair where the method has a confidence; classes: where both the set and the method know classes.
    """

    limits: Limits
    rows: list[Row] = field(default_factory=list)
    by_distance: dict[tuple[str, str], DistanceErrors] = field(default_factory=dict)
    by_density: dict[tuple[str, str], list[DensityCurve]] = field(default_factory=dict)
    classes: dict[tuple[str, str], ClassScore] = field(default_factory=dict)


def evaluate(
    sets: Mapping[str, Dataset],
    methods: Mapping[str, Method],
    limits: Limits | None = None,
    watch: Watcher | None = None,
) -> Evaluation:
    """Rows with dataset, id, method, part, FIGURES, CONFIDENCE_FIGURES, DEPTH_FIGURES (NaN if unknown), milliseconds.

    All methods meet the frame one after another, so that a slow moment of the machine hits all of them; the first
    call at a new image size is repeated, because it allocates. A labelled frame without a right view is shown to both
    eyes, for its classes alone and to those methods alone that know classes. `watch` sees each frame's predictions.
    Raises ValueError for a sample with neither right view and true disparity nor labels, or that no method can predict.
    """
    result, known_sizes = Evaluation(limits or Limits()), set()
    for dataset, sample in _samples(sets):
        truth_px, right = _truth(sample, result.limits), sample.left if sample.right is None else sample.right
        predictions = {}
        for name, method in methods.items():
            maps = _labelled(sample) & method.maps
            if truth_px is None and "semantic" not in maps:
                continue
            if (name, sample.left.shape) not in known_sizes:
                _predict(method, sample, right, maps)
                known_sizes.add((name, sample.left.shape))
            start = time.perf_counter()
            predictions[name] = _predict(method, sample, right, maps)
            milliseconds = 1e3 * (time.perf_counter() - start)
            if truth_px is not None:
                result.rows += _rows(result, dataset, name, sample, truth_px, predictions[name], milliseconds)
            if "semantic" in maps:
                _add_classes(result, dataset, name, sample, predictions[name])
        if methods and not predictions:
            raise ValueError(f"expected a method that knows classes for '{sample.name}', got {list(methods)}; add one")
        if watch:
            watch(dataset, sample, predictions)
    return result


def _predict(method: Method, sample: Sample, right: np.ndarray, maps: frozenset[str]) -> Prediction:
    """The method's prediction for the images that it looks at."""
    known = {name: getattr(sample, name) for name in IMAGES} | {"right": right}
    if missing := [name for name in method.inputs if known.get(name) is None]:
        raise ValueError(
            f"expected the images {list(method.inputs)} of '{sample.name}', got no {' and no '.join(missing)}; write "
            "regions with `sam-masks`, or leave out the method that looks at them"
        )
    return method({name: known[name] for name in method.inputs}, maps)


def _samples(sets: Mapping[str, Dataset]) -> Iterator[tuple[str, Sample]]:
    with tqdm(total=sum(map(len, sets.values())), desc="evaluate") as bar:
        for name, dataset in sets.items():
            for index in range(len(dataset)):
                yield name, dataset[index]
                bar.update()


def _labelled(sample: Sample) -> frozenset[str]:
    """Which of "semantic" and "instance" have truth; instances count with classes only."""
    if sample.semantic is None:
        return frozenset()
    return frozenset(("semantic",) if sample.instance is None else ("semantic", "instance"))


def _truth(sample: Sample, limits: Limits) -> np.ndarray | None:
    """True disparity float32 [H, W], NaN where unknown or above the maximum; None where there is no such pair."""
    if sample.right is not None and sample.disparity_px is not None:
        with np.errstate(invalid="ignore"):
            return np.where(sample.disparity_px <= limits.max_disparity_px, sample.disparity_px, np.float32(np.nan))
    if sample.semantic is None:
        missing = "right view" if sample.right is None else "true disparity"
        raise ValueError(f"expected pairs with truth or labels, got no {missing} in '{sample.name}'; take another set")
    return None


def _rows(
    result: Evaluation,
    dataset: str,
    method: str,
    sample: Sample,
    truth_px: np.ndarray,
    prediction: Prediction,
    milliseconds: float,
) -> Iterator[Row]:
    """Disparity figures of the whole prediction, with the further ones, and of its parts."""
    for part, keep in {"": None, **prediction.parts}.items():
        errors = disparity_errors(prediction.disparity_px, truth_px, keep)
        row = {"dataset": dataset, "id": sample.name.removeprefix(f"{dataset}/"), "method": method, "part": part}
        row |= {figure: errors[figure] for figure in FIGURES}
        row |= NO_FIGURES if part else _further_figures(result, dataset, method, sample, truth_px, prediction)
        yield row | {"milliseconds": milliseconds}


def _further_figures(
    result: Evaluation, dataset: str, method: str, sample: Sample, truth_px: np.ndarray, prediction: Prediction
) -> dict[str, float]:
    """CONFIDENCE_FIGURES and DEPTH_FIGURES of a pair; `result.by_density` and `result.by_distance` take what is new."""
    figures, limits = dict(NO_FIGURES), result.limits
    scored = (truth_px > 0) & np.isfinite(prediction.disparity_px)
    if prediction.confidence is not None and scored.any():
        wrong = 100.0 * (np.abs(prediction.disparity_px - truth_px)[scored] > _BAD_PX)
        curve = density_curve(wrong, prediction.confidence[scored])
        figures |= {"auc": curve.auc, "best_auc": curve.best_auc}
        result.by_density.setdefault((dataset, method), []).append(curve)
    truth_m = sample.depth_of(truth_px)
    if truth_m is not None:
        inside = garg_crop(*truth_m.shape) if limits.crop == "garg" else np.s_[:, :]
        truth_m, predicted_m = truth_m[inside], sample.depth_of(prediction.disparity_px)[inside]
        for prefix, scaled in (("", False), ("scaled_", True)):
            errors = depth_errors(predicted_m, truth_m, scaled, limits.max_depth_m)
            figures |= {f"{prefix}{name}": errors[name] for name in _DEPTH}
        distances = result.by_distance.setdefault((dataset, method), DistanceErrors(limits.max_depth_m))
        distances.add(predicted_m, truth_m)
    return figures


def _add_classes(result: Evaluation, dataset: str, method: str, sample: Sample, prediction: Prediction) -> None:
    score = result.classes.setdefault((dataset, method), ClassScore(one_view=sample.right is None))
    score.add(prediction.semantic, prediction.instance, sample.semantic, sample.instance)
