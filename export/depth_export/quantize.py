# SPDX-License-Identifier: Apache-2.0
"""From a contract file to one that computes in INT8: measured part by part, gated on pairs with truth."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from depth_runtime.backends import make_backend
from depth_runtime.files.atomic import replacing
from depth_runtime.metrics import disparity_errors
from depth_runtime.onnx_file import read_spec
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.plan import make_plan
from depth_runtime.spec import METADATA_KEY, ModelSpec

from .graph import save
from .int8_gate import Gate, QuantisationError, Report
from .int8_graph import INT8_FORMATS, Feed, Int8Format, calibrate, feeding, parts_of, prepare, quantize
from .pairs import PAIR, PairFiles, digest, spread

log = logging.getLogger(__name__)

GATED = ("disparity", "semantic")  # outputs whose loss is measured; what none of them needs stays FP32
DEEPEST = 5  # of module names: a stage of the backbone of a network inside another


def quantize_file(
    source: Path,
    out: Path,
    calibration: Sequence[PairFiles],
    held_out: Sequence[PairFiles],
    gate: Gate,
    threads: int = 2,
    target: str = "cpu",
) -> Report:
    """Write the INT8 version of a contract file, and return what it costs.

    calibration: pairs that give the ranges; held_out: other pairs, with truth; target: a key of INT8_FORMATS.
    The table of losses is logged. Raises SpecError for a network that takes more than a pair. Raises QuantisationError,
    and leaves `out` as it was, when the loss is above the gate or no part bears INT8.
    """
    spec = read_spec(source)
    spec.require_inputs(PAIR)
    model, int8 = prepare(source), INT8_FORMATS[target]
    if absent := [part for part in gate.keep if not parts_of(model, int8, DEEPEST, part)]:
        raise ValueError(f"expected parts below {list(parts_of(model, int8, 1))}, got {absent}; see the table of a run")
    ranges = calibrate(model, _feeds(calibration, spec))
    with replacing(out) as temporary:
        trial = _Trial(model, int8, ranges, temporary, threads)
        report = Report()
        products = _choose(trial, source, spread(list(calibration), gate.drift_pairs), gate, report)
        final = trial.write(products)
        _score(report, source, trial.path, held_out, spec, threads)
        log.info("%s\n", report.table())
        report.check(gate)
        metadata = _metadata(report, source, calibration, len(held_out)) | {"target": target}
        _set_spec(final, replace(spec, training=spec.training | {"quantisation": metadata}))
        save(final, trial.path)
        read_spec(trial.path)
    return report


@dataclass(frozen=True)
class _Trial:
    """A graph whose parts are tried in INT8, in a file at `path`."""

    model: onnx.ModelProto
    int8: Int8Format
    ranges: object
    path: Path
    threads: int

    def write(self, products: list[str]) -> onnx.ModelProto:
        """Write and return the graph with these products in INT8."""
        graph = quantize(self.model, self.int8, self.ranges, products)
        save(graph, self.path)
        return graph

    def drift_px(self, products: list[str], pairs: Sequence[PairFiles], before: Sequence[np.ndarray]) -> float:
        """Mean change of the pairs' disparities `before` by these products alone."""
        self.write(products)
        after = (disparity for disparity, _ in _predictions(self.path, pairs, self.threads))
        return float(np.mean([np.abs(a - b).mean() for a, b in zip(after, before, strict=True)]))


def _choose(trial: _Trial, source: Path, pairs: Sequence[PairFiles], gate: Gate, report: Report) -> list[str]:
    """Products that bear INT8: each part is tried alone, and one that drifts is tried again in smaller parts."""

    def parts(depth: int, within: str = "") -> dict[str, list[str]]:
        return parts_of(trial.model, trial.int8, depth, within)

    before = [disparity for disparity, _ in _predictions(source, pairs, trial.threads)]
    given = {name for part in gate.keep for names in parts(DEEPEST, part).values() for name in names}
    unseen = {name for names in parts(1).values() for name in names} - feeding(trial.model, GATED)
    report.kept, report.unseen = list(gate.keep), len(unseen)
    given |= unseen
    chosen = []
    waiting = [(part, names, 1) for part, names in parts(1).items()]
    while waiting:
        part, names, depth = waiting.pop(0)
        names = [name for name in names if name not in given]
        if not names:
            continue
        report.drift_px[part] = trial.drift_px(names, pairs, before)
        if report.drift_px[part] <= gate.drift_px:
            chosen += names
            continue
        smaller = parts(depth + 1, part) if depth < DEEPEST else {}
        if len(smaller) < 2:
            report.kept.append(part)
        else:
            waiting = [(name, members, depth + 1) for name, members in smaller.items()] + waiting
    if not chosen:
        log.info("%s\n", report.table())
        raise QuantisationError(
            f"expected a part that drifts by at most {gate.drift_px:g} px in INT8, got none; nothing was written: "
            "raise the drift limit"
        )
    return chosen


def _feeds(pairs: Sequence[PairFiles], spec: ModelSpec) -> Iterator[Feed]:
    for pair in pairs:
        images = pair.images()
        plan = make_plan(images["left"].shape[:2], spec.size_multiple)
        yield {name: plan.apply(images[name], np.empty((*plan.network, 3), np.uint8))[None] for name in spec.inputs}


def _predictions(
    path: Path, pairs: Sequence[PairFiles], threads: int
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    pipeline = StereoPipeline(make_backend(path, "onnxruntime-cpu", threads))
    maps = pipeline.available({"semantic"})
    for pair in pairs:
        result = pipeline.process(pair.images(), maps)
        yield result.disparity_px.copy(), result.panoptic.semantic.copy() if maps else None


def _score(
    report: Report, source: Path, trial: Path, pairs: Sequence[PairFiles], spec: ModelSpec, threads: int
) -> None:
    epe, changed = [], []
    for pair, (wanted, classes), (prediction, others) in zip(
        pairs, _predictions(source, pairs, threads), _predictions(trial, pairs, threads), strict=True
    ):
        truth = pair.truth_px(spec.max_disparity)
        epe.append([disparity_errors(disparity, truth)["epe"] for disparity in (wanted, prediction)])
        if classes is not None:
            changed.append(100 * float((classes != others).mean()))
    report.epe_fp32_px, report.epe_int8_px = (float(value) for value in np.nanmean(epe, 0))
    report.semantic_changed_percent = float(np.mean(changed)) if changed else 0.0


def _metadata(report: Report, source: Path, calibration: Sequence[PairFiles], held_out: int) -> dict[str, object]:
    return {
        "precision": "int8",
        "source": source.name,
        "source_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "calibration_pairs": len(calibration),
        "calibration_sha256": digest(list(calibration)),
        "kept_fp32": report.kept,
        "products_without_gate_fp32": report.unseen,
        "held_out_pairs": held_out,
        "epe_fp32_px": round(report.epe_fp32_px, 4),
        "epe_int8_px": round(report.epe_int8_px, 4),
        "epe_loss_percent": round(report.loss_percent, 2),
        "semantic_changed_percent": round(report.semantic_changed_percent, 2),
    }


def _set_spec(model: onnx.ModelProto, spec: ModelSpec) -> None:
    onnx.helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
