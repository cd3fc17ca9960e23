# SPDX-License-Identifier: Apache-2.0
"""From a contract file to one that computes in INT8: measured part by part, gated on pairs with truth."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import onnx
from depth_runtime.backends import make_backend
from depth_runtime.metrics import disparity_errors
from depth_runtime.onnx_file import read_spec
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.plan import make_plan
from depth_runtime.spec import METADATA_KEY, ModelSpec

from .graph import save
from .int8_graph import Feed, calibrate, parts_of, prepare, quantize, with_neighbours
from .pairs import Pair, digest, spread

DEEPEST = 4  # of module names: a stage of a backbone


class QuantisationError(ValueError):
    """The INT8 file loses more than the gate allows."""


@dataclass(frozen=True)
class Gate:
    """What INT8 may cost.

    epe_percent: relative loss of EPE on the held-out pairs; semantic_percent: pixels there whose class changes;
    drift_px: mean change of the disparity by one part of the network alone, above which that part stays FP32,
    measured on drift_pairs calibration pairs; keep: parts that stay FP32 in any case.
    """

    epe_percent: float = 5.0
    semantic_percent: float = 5.0
    drift_px: float = 0.2
    drift_pairs: int = 3
    keep: tuple[str, ...] = ()


@dataclass
class Report:
    """drift_px by part of the network; kept: parts that stayed FP32; epe_* and semantic_changed on held-out pairs."""

    drift_px: dict[str, float] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    epe_fp32_px: float = float("nan")
    epe_int8_px: float = float("nan")
    semantic_changed_percent: float = 0.0

    @property
    def loss_percent(self) -> float:
        """Relative loss of EPE; negative when INT8 is the better one."""
        return 100 * (self.epe_int8_px / self.epe_fp32_px - 1)

    def _fate(self, part: str) -> str:
        if part in self.kept:
            return "FP32"
        return "see its parts" if any(other.startswith(f"{part}.") for other in self.drift_px) else "INT8"

    def table(self) -> str:
        """What lost how much."""
        lines = ["| part in INT8 | disparity changes by px | stays |", "| --- | --: | --- |"]
        lines += [f"| {k} | {v:.3f} | {self._fate(k)} |" for k, v in self.drift_px.items()]
        lines += ["", "| held-out pairs | FP32 | INT8 | loss % |", "| --- | --: | --: | --: |"]
        lines.append(f"| EPE px | {self.epe_fp32_px:.3f} | {self.epe_int8_px:.3f} | {self.loss_percent:.1f} |")
        return "\n".join([*lines, f"| pixels of another class % | | | {self.semantic_changed_percent:.1f} |"])


def quantize_file(
    source: Path, out: Path, calibration: Sequence[Pair], held_out: Sequence[Pair], gate: Gate, threads: int = 2
) -> Report:
    """Write the INT8 version of a contract file, and return what it costs.

    calibration: pairs that give the ranges; held_out: other pairs, with truth. Raises QuantisationError, with the
    table in its message, and leaves `out` as it was, when the loss is above the gate or no part bears INT8.
    """
    spec = read_spec(source)
    model = prepare(source)
    if absent := [part for part in gate.keep if not parts_of(model, DEEPEST, part)]:
        raise ValueError(f"expected parts below {list(parts_of(model, 1))}, got {absent}; see the table of a run")
    ranges = calibrate(model, _feeds(calibration, spec))
    report = Report()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.stem}-") as folder:
        trial = Path(folder) / "int8.onnx"
        few = spread(list(calibration), gate.drift_pairs)
        before = [disparity for disparity, _ in _answers(source, few, threads)]

        def drift_px(products: list[str]) -> float:
            save(quantize(model, ranges, with_neighbours(model, products)), trial)
            after = [disparity for disparity, _ in _answers(trial, few, threads)]
            return float(np.mean([np.abs(a - b).mean() for a, b in zip(after, before, strict=True)]))

        products = _choose(model, drift_px, gate, report)
        if not products:
            raise QuantisationError(
                f"expected a part that drifts by at most {gate.drift_px:g} px in INT8, got none; nothing was written: "
                f"raise the drift limit\n\n{report.table()}"
            )
        final = quantize(model, ranges, with_neighbours(model, products))
        save(final, trial)
        _score(report, source, trial, held_out, spec, threads)
        _check(report, gate)
        facts = _facts(report, source, calibration, len(held_out))
        _set_spec(final, replace(spec, training=spec.training | {"quantisation": facts}))
        save(final, trial)
        read_spec(trial)
        os.replace(trial, out)
    return report


def _choose(model: onnx.ModelProto, drift_px: Callable[[list[str]], float], gate: Gate, report: Report) -> list[str]:
    """Products that bear INT8: each part is tried alone, and one that drifts is tried again in smaller parts."""
    given = {name for part in gate.keep for names in parts_of(model, DEEPEST, part).values() for name in names}
    report.kept = list(gate.keep)
    chosen = []
    waiting = [(part, names, 1) for part, names in parts_of(model, 1).items()]
    while waiting:
        part, names, depth = waiting.pop(0)
        names = [name for name in names if name not in given]
        if not names:
            continue
        report.drift_px[part] = drift_px(names)
        if report.drift_px[part] <= gate.drift_px:
            chosen += names
            continue
        smaller = parts_of(model, depth + 1, part) if depth < DEEPEST else {}
        if len(smaller) < 2:
            report.kept.append(part)
        else:
            waiting = [(name, members, depth + 1) for name, members in smaller.items()] + waiting
    return chosen


def _feeds(pairs: Sequence[Pair], spec: ModelSpec) -> Iterator[Feed]:
    for pair in pairs:
        images = pair.images()
        plan = make_plan(images[0].shape[:2], spec.size_multiple)
        yield {
            name: plan.apply(image, np.empty((*plan.network, 3), np.uint8))[None]
            for name, image in zip(spec.inputs, images, strict=True)
        }


def _answers(path: Path, pairs: Sequence[Pair], threads: int) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    pipeline = StereoPipeline(make_backend(path, "onnxruntime-cpu", threads))
    maps = pipeline.available({"semantic"})
    for pair in pairs:
        result = pipeline.process(*pair.images(), maps)
        yield result.disparity_px.copy(), result.panoptic.semantic.copy() if maps else None


def _score(report: Report, source: Path, trial: Path, pairs: Sequence[Pair], spec: ModelSpec, threads: int) -> None:
    epe, changed = [], []
    for pair, (wanted, classes), (answer, others) in zip(
        pairs, _answers(source, pairs, threads), _answers(trial, pairs, threads), strict=True
    ):
        truth = pair.truth_px(spec.max_disparity)
        epe.append([disparity_errors(disparity, truth)["epe"] for disparity in (wanted, answer)])
        if classes is not None:
            changed.append(100 * float((classes != others).mean()))
    report.epe_fp32_px, report.epe_int8_px = (float(value) for value in np.nanmean(epe, 0))
    report.semantic_changed_percent = float(np.mean(changed)) if changed else 0.0


def _check(report: Report, gate: Gate) -> None:
    if not report.loss_percent <= gate.epe_percent or not report.semantic_changed_percent <= gate.semantic_percent:
        raise QuantisationError(
            f"expected INT8 to lose at most {gate.epe_percent:g} % EPE and to change at most "
            f"{gate.semantic_percent:g} % of the classes, "
            f"got {report.loss_percent:.1f} % and {report.semantic_changed_percent:.1f} %; "
            "nothing was written: calibrate on images like the held-out ones, or lower the drift limit"
            f"\n\n{report.table()}"
        )


def _facts(report: Report, source: Path, calibration: Sequence[Pair], held_out: int) -> dict[str, object]:
    return {
        "precision": "int8",
        "source": source.name,
        "source_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "calibration_pairs": len(calibration),
        "calibration_sha256": digest(list(calibration)),
        "kept_fp32": report.kept,
        "held_out_pairs": held_out,
        "epe_fp32_px": round(report.epe_fp32_px, 4),
        "epe_int8_px": round(report.epe_int8_px, 4),
        "epe_loss_percent": round(report.loss_percent, 2),
        "semantic_changed_percent": round(report.semantic_changed_percent, 2),
    }


def _set_spec(model: onnx.ModelProto, spec: ModelSpec) -> None:
    onnx.helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
