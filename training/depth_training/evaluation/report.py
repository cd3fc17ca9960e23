# SPDX-License-Identifier: Apache-2.0
"""Means of an evaluation, as a table and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
from depth_runtime.tables import json_ready, markdown_table, number

from .class_score import CLASS_COLUMNS
from .evaluate import CONFIDENCE_FIGURES, DEPTH_FIGURES, FIGURES, Evaluation, Row

# Heading and digits; the last ones only appear where some method has them.
_COLUMNS = {
    "epe": ("EPE px", 2),
    "d1": ("D1 %", 2),
    "bad1": ("bad-1 %", 2),
    "bad2": ("bad-2 %", 2),
    "density": ("density %", 1),
    "auc": ("AUC %", 2),
    "best_auc": ("best AUC %", 2),
    "abs_rel": ("AbsRel %", 2),
    "delta1": ("delta < 1.25 %", 2),
    "gd": ("GD %", 2),
    "milliseconds": ("ms", 0),
}
_OPTIONAL = ("auc", "best_auc", "abs_rel", "delta1", "gd")


def summarise(evaluation: Evaluation) -> list[Row]:
    """Means over the pairs of each data set (median of milliseconds), then over all pairs as data set "all".

    gd is that of the data set's pooled pixels; NaN for "all".
    """
    rows, summary = evaluation.rows, []
    datasets = dict.fromkeys(row["dataset"] for row in rows)
    for dataset in (*datasets, "all") if rows else ():
        chosen = [row for row in rows if dataset in (row["dataset"], "all")]
        for method, part in dict.fromkeys((row["method"], row["part"]) for row in chosen):
            same = [row for row in chosen if (row["method"], row["part"]) == (method, part)]
            by_distance = None if part else evaluation.by_distance.get((dataset, method))
            summary.append(
                {"dataset": dataset, "pairs": len(same), "method": method, "part": part}
                | {name: _mean(same, name) for name in (*FIGURES, *CONFIDENCE_FIGURES, *DEPTH_FIGURES)}
                | {"gd": by_distance.gd() if by_distance else float("nan")}
                | {"milliseconds": float(np.median([row["milliseconds"] for row in same]))}
            )
    return summary


def _mean(rows: Sequence[Row], figure: str) -> float:
    values = [row[figure] for row in rows if not math.isnan(row[figure])]
    return float(np.mean(values)) if values else float("nan")


def markdown(summary: Sequence[Row]) -> str:
    """The summary as a table; empty without a pair."""
    if not summary:
        return ""
    known = [name for name in _OPTIONAL if any(not math.isnan(row[name]) for row in summary)]
    columns = {name: column for name, column in _COLUMNS.items() if name in known or name not in _OPTIONAL}
    rows, last = [], None
    for row in summary:
        place = f"{row['dataset']} ({row['pairs']})" if row["dataset"] != last else ""
        last = row["dataset"]
        method = f"{row['method']}, {row['part']}" if row["part"] else row["method"]
        rows.append([place, str(method), *(number(row[name], digits) for name, (_, digits) in columns.items())])
    header = ["data set (pairs)", "method", *(heading for heading, _ in columns.values())]
    return markdown_table(header, rows, text_columns=(0, 1))


def class_markdown(evaluation: Evaluation) -> str:
    """Classes and instances as a table; empty where no method knew any."""
    figures_of = {key: score.figures() for key, score in evaluation.classes.items()}
    columns = [name for name in CLASS_COLUMNS if any(not math.isnan(figures[name]) for figures in figures_of.values())]
    if not columns:
        return ""
    rows = []
    for (dataset, method), figures in figures_of.items():
        score = evaluation.classes[dataset, method]
        frames = f"{score.frames}, left view for both eyes" if score.one_view else str(score.frames)
        rows.append([f"{dataset} ({frames})", method, *(number(figures[name], 1) for name in columns)])
    header = ["labelled set (frames)", "method", *(CLASS_COLUMNS[name] for name in columns)]
    return markdown_table(header, rows, text_columns=(0, 1))


def as_json(evaluation: Evaluation, summary: Sequence[Row], settings: Mapping[str, object]) -> dict[str, object]:
    """Everything as plain values, null where unknown.

    settings (the given ones and the limits), summary, pairs, and by data set and method the ARD curves, the mean curves
    of bad-3 (per cent) by density (fraction of the pixels), and the classes.
    """
    curves = [
        {"dataset": dataset, "method": method, "gd": errors.gd(), "ard": errors.curve()}
        for (dataset, method), errors in evaluation.by_distance.items()
    ]
    densities = [
        {
            "dataset": dataset,
            "method": method,
            "density": found[0].density.tolist(),
            "bad3": np.mean([curve.cost for curve in found], axis=0).tolist(),
            "best_bad3": np.mean([curve.best for curve in found], axis=0).tolist(),
        }
        for (dataset, method), found in evaluation.by_density.items()
    ]
    classes = [
        {"dataset": dataset, "method": method, **score.details()}
        for (dataset, method), score in evaluation.classes.items()
    ]
    return json_ready(
        {
            "settings": {**settings, **asdict(evaluation.limits)},
            "summary": list(summary),
            "pairs": evaluation.rows,
            "by_distance": curves,
            "by_density": densities,
            "classes": classes,
        }
    )
