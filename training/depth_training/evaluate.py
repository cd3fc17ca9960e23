# SPDX-License-Identifier: Apache-2.0
"""Accuracy of stereo methods on the same true pixels, with the time per frame of the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from depth_runtime.metrics import disparity_errors
from tqdm import tqdm

from .stereo_methods import Answer, Method
from .stereo_pairs import StereoPair

FIGURES = ("epe", "d1", "bad1", "bad2", "density")
Row = dict[str, object]
Watcher = Callable[[StereoPair, str, Answer], None]


def evaluate(
    pairs: Sequence[StereoPair],
    methods: dict[str, Method],
    max_disparity_px: float,
    watch: Watcher | None = None,
) -> list[Row]:
    """One row per pair, method and part: dataset, id, method, part, FIGURES, milliseconds.

    All methods meet the pair one after another, so that a slow moment of the machine hits all of them; the first
    call at a new image size is repeated, because it allocates. `watch` sees each answer.
    """
    rows, known_sizes = [], set()
    for pair in tqdm(pairs, desc="evaluate"):
        left, right = pair.images()
        truth = pair.truth_px(max_disparity_px)
        for name, method in methods.items():
            if (name, left.shape) not in known_sizes:
                method(left, right)
                known_sizes.add((name, left.shape))
            start = time.perf_counter()
            answer = method(left, right)
            milliseconds = 1e3 * (time.perf_counter() - start)
            for part, keep in {"": None, **answer.parts}.items():
                errors = disparity_errors(answer.disparity_px, truth, keep)
                rows.append(
                    {"dataset": pair.dataset, "id": pair.id, "method": name, "part": part}
                    | {figure: errors[figure] for figure in FIGURES}
                    | {"milliseconds": milliseconds}
                )
            if watch:
                watch(pair, name, answer)
    return rows


def summarise(rows: Sequence[Row]) -> list[Row]:
    """Means over the pairs of each data set (median of milliseconds), then over all pairs as data set "all"."""
    summary = []
    datasets = dict.fromkeys(row["dataset"] for row in rows)
    for dataset in (*datasets, "all"):
        chosen = [row for row in rows if dataset in (row["dataset"], "all")]
        for method, part in dict.fromkeys((row["method"], row["part"]) for row in chosen):
            same = [row for row in chosen if (row["method"], row["part"]) == (method, part)]
            summary.append(
                {"dataset": dataset, "pairs": len(same), "method": method, "part": part}
                | {figure: float(np.nanmean([row[figure] for row in same])) for figure in FIGURES}
                | {"milliseconds": float(np.median([row["milliseconds"] for row in same]))}
            )
    return summary


def markdown(summary: Sequence[Row]) -> str:
    """The summary as a table."""
    lines = [
        "| data set (pairs) | method | EPE px | D1 % | bad-1 % | bad-2 % | density % | ms |",
        "| --- | --- | --: | --: | --: | --: | --: | --: |",
    ]
    last = None
    for row in summary:
        place = f"{row['dataset']} ({row['pairs']})" if row["dataset"] != last else ""
        last = row["dataset"]
        method = f"{row['method']}, {row['part']}" if row["part"] else row["method"]
        figures = [f"{row[name]:.2f}" for name in FIGURES[:-1]] + [f"{row['density']:.1f}"]
        lines.append(f"| {place} | {method} | {' | '.join(figures)} | {row['milliseconds']:.0f} |")
    return "\n".join(lines)
