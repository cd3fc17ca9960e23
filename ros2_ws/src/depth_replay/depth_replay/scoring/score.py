# SPDX-License-Identifier: Apache-2.0
"""`score`: published disparity, depth and semantics against ground-truth topics, matched by stamp."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from depth_runtime.camera import BASELINES, CalibrationError, StereoCamera
from depth_runtime.metrics import confusion, depth_errors, disparity_errors, mean_iou
from depth_runtime.rectification import BaselineRule
from depth_runtime.spec import UNLABELLED
from tqdm import tqdm

from ..bags.bag import BagMessage, bag_topics, read_bag
from ..messages import topics
from ..messages.definitions import header_stamp_ns
from .panoptic_score import panoptic_figures
from .sky_score import sky_figures
from .truth import Truth, metres, picture_disparity, read_camera, read_labels, read_pixels, read_truth


@dataclass
class Score:
    """Figures by kind (disparity, depth, semantic, panoptic, sky) of all scored pixels; notes say what is left out."""

    frames: dict[str, int] = field(default_factory=dict)
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    class_iou: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Add a note once."""
        if text not in self.notes:
            self.notes.append(text)

    def rows(self) -> list[tuple[str, str, str]]:
        """(kind, figure, value) for a table."""
        units = {"epe": " px", "sq_rel": " m", "rmse": " m", "rmse_log": "", "frames": ""}
        return [
            (kind, name, f"{value:.3f}{units.get(name, ' %')}" if name != "pixels" else f"{value:.0f}")
            for kind, figures in self.figures.items()
            for name, value in figures.items()
        ]


def score_bags(outputs: Path, truth_bag: Path, rule: BaselineRule = BASELINES) -> Score:
    """Score every published frame that has truth with the same stamp. rule: see `read_camera`.

    Where sizes differ the published map is brought to the truth's size: disparity bilinear and scaled with the width,
    depth and class ids by the nearest pixel. Raises BagError for a bag that cannot be read.
    """
    score = Score()
    truth = read_truth(truth_bag, _camera(truth_bag, outputs, rule, score))
    tasks = {
        topics.DISPARITY: (topics.TRUTH_DISPARITY, "disparity"),
        topics.DEPTH: (topics.TRUTH_DISPARITY, "depth"),
        topics.SEMANTIC: (topics.TRUTH_SEMANTIC, "semantic"),
    }
    published = bag_topics(outputs)
    wanted = set()
    for topic, (kind, name) in tasks.items():
        if topic not in published:
            score.note(f"{name} is left out: {outputs.name} has no {topic}")
        elif not truth.has(kind):
            score.note(f"{name} is left out: {truth_bag.name} has no {kind}")
        elif name == "depth" and truth.camera is None:
            bags = f"{truth_bag.name} or {outputs.name}"
            score.note(f"depth is left out: no usable camera_info of both cameras in {bags}")
        else:
            wanted.add(topic)
    frames = _errors(outputs, wanted, published, truth, score)
    _semantic(frames.pop("semantic", []), score)
    if score.frames.get("semantic") and truth.has(topics.TRUTH_INSTANCE) and topics.INSTANCE in published:
        _keep(score, "panoptic", *panoptic_figures(outputs, truth, _label_map(outputs, truth, score)))
    if topics.DEPTH in published:
        _keep(score, "sky", *sky_figures(outputs, truth))
    for name, errors in frames.items():
        score.frames[name] = len(errors)
        score.figures[name] = pooled(errors)
    for topic in wanted:
        if not score.frames.get(tasks[topic][1]):
            score.note(f"no stamp of {topic} equals one of {tasks[topic][0]}; is it the same recording?")
    return score


def _camera(truth_bag: Path, outputs: Path, rule: BaselineRule, score: Score) -> StereoCamera | None:
    """Camera of the bag with truth, else of the outputs; one that cannot be used becomes a note."""
    for bag in dict.fromkeys((truth_bag, outputs)):
        try:
            camera = read_camera(bag, rule)
        except CalibrationError as error:
            score.note(str(error))
            continue
        if camera:
            return camera
    return None


def _keep(score: Score, kind: str, figures: dict[str, float], frames: int) -> None:
    if frames:
        score.frames[kind], score.figures[kind] = frames, figures


def _errors(
    outputs: Path,
    wanted: set[str],
    published: dict[str, Any],
    truth: Truth,
    score: Score,
) -> dict[str, list[Any]]:
    """Figures of each scored frame by kind; for semantics the confusion matrices."""
    frames: dict[str, list[Any]] = {}
    mapping = _label_map(outputs, truth, score) if topics.SEMANTIC in wanted else None
    total = sum(published[topic].count for topic in wanted)
    messages: Iterator[BagMessage] = read_bag(outputs, wanted) if wanted else iter(())
    for message in tqdm(messages, total=total, desc="score", unit="msg", disable=not total):
        stamp_ns = header_stamp_ns(message.data)
        if message.topic == topics.DISPARITY:
            target = truth.disparity(stamp_ns)
            if target is not None:
                ours = _resampled(picture_disparity(message, truth.camera), target, "disparity", score)
                frames.setdefault("disparity", []).append(_counted(disparity_errors(ours, target), target))
        elif message.topic == topics.DEPTH:
            target = truth.depth(stamp_ns)
            if target is not None:
                ours = _resampled(metres(read_pixels(message)), target, "depth", score)
                frames.setdefault("depth", []).append(_counted(depth_errors(ours, target), target))
        elif mapping is not None:
            target = truth.semantic(stamp_ns)
            if target is not None:
                ours = mapping[_resampled(read_pixels(message), target, "semantic", score)]
                frames.setdefault("semantic", []).append(confusion(ours, target, UNLABELLED))
    if frames.get("semantic"):
        score.class_iou = _class_iou(np.sum(frames["semantic"], axis=0), truth)
    return frames


def _counted(figures: dict[str, float], target: np.ndarray) -> dict[str, float]:
    """The figures of a frame with the number of its pixels that have truth."""
    return {**figures, "truth_pixels": int((np.isfinite(target) & (target > 0)).sum())}


def _resampled(published: np.ndarray, target: np.ndarray, name: str, score: Score) -> np.ndarray:
    if published.shape == target.shape:
        return published
    height, width = target.shape
    score.note(
        f"{name} was published at {published.shape[1]}x{published.shape[0]}, truth is {width}x{height}: "
        f"resampled to the truth's size"
    )
    if name != "disparity":
        return cv2.resize(published, (width, height), interpolation=cv2.INTER_NEAREST)
    scale = np.float32(width / published.shape[1])
    return cv2.resize(published, (width, height), interpolation=cv2.INTER_LINEAR) * scale


def _label_map(outputs: Path, truth: Truth, score: Score) -> np.ndarray:
    """uint8 [256]: published class id to the truth's id of the same name; ids as they are where names are missing."""
    identity = np.arange(256, dtype=np.uint8)
    ours = {label["id"]: label["name"] for label in read_labels(outputs, topics.LABELS)}
    theirs = {label["name"]: label["id"] for label in truth.labels}
    if not ours or not theirs:
        score.note("class ids are compared as numbers, because one side has no labels with names")
        return identity
    unknown = sorted(name for name in ours.values() if name not in theirs)
    if unknown:
        score.note(f"classes that the truth does not have count as wrong: {', '.join(unknown)}")
    mapping = np.full(256, UNLABELLED, np.uint8)
    for number, name in ours.items():
        mapping[number] = theirs.get(name, UNLABELLED)
    return mapping


def _class_iou(matrix: np.ndarray, truth: Truth) -> dict[str, float]:
    """IoU in per cent of each class that occurs, by name."""
    names = {label["id"]: label["name"] for label in truth.labels}
    present = np.flatnonzero(matrix.sum(1) + matrix[:, : len(matrix)].sum(0))
    inter, ours, theirs = np.diag(matrix), matrix[:, : len(matrix)].sum(0), matrix.sum(1)
    return {names.get(int(i), str(i)): float(100 * inter[i] / (ours[i] + theirs[i] - inter[i])) for i in present}


def _semantic(matrices: list[np.ndarray], score: Score) -> None:
    if matrices:
        matrix = np.sum(matrices, axis=0)
        score.frames["semantic"] = len(matrices)
        accuracy = 100 * float(np.trace(matrix)) / max(1, int(matrix.sum()))
        score.figures["semantic"] = {"miou": mean_iou(matrix), "pixel_accuracy": accuracy}


def pooled(frames: list[dict[str, float]]) -> dict[str, float]:
    """Figures over several frames: errors weighted by scored pixels, density over all pixels with truth."""
    pixels = np.array([frame["pixels"] for frame in frames], float)
    truth_pixels = sum(frame["truth_pixels"] for frame in frames)
    used = pixels > 0
    result: dict[str, float] = {}
    for name in frames[0].keys() - {"pixels", "density", "truth_pixels"}:
        values = np.array([frame[name] for frame in frames], float)
        result[name] = float(np.average(values[used], weights=pixels[used])) if used.any() else float("nan")
    order = [name for name in frames[0] if name in result]
    density = 100 * float(pixels.sum()) / max(1, truth_pixels)
    return {name: result[name] for name in order} | {"density": density, "pixels": float(pixels.sum())}
