# SPDX-License-Identifier: Apache-2.0
"""Systematic error of stereo methods: medians of the signed error, which scores of absolute errors do not show.

Without --data: textured pairs shifted by whole pixels. With --data: predictions against the truth by range of true
disparity; with --against-sgbm instead against SGBM's own predictions, for pairs without truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from depth_export.matched_pair import matched_pair
from depth_training.commands.evaluate import open_methods, open_sets
from depth_training.data import Dataset
from depth_training.evaluation.method import Method
from depth_training.evaluation.methods import make_method

SHIFTS_PX = (0, 2, 4, 6, 8, 12, 20, 37, 60)
EDGES_PX = (0.5, 3, 6, 10, 20, 40, 80)
LEFT_MARGIN_PX = 64  # the right camera does not see what is left of it
NEAR_PX = 2.0  # predictions farther from SGBM's are mismatches of one of them, not a systematic error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", action="append", required=True, help="as in `evaluate`; repeatable")
    parser.add_argument("--data", action="append", help="as in `evaluate`; repeatable")
    parser.add_argument("--step", type=int, default=1, help="take every STEP-th pair")
    parser.add_argument("--against-sgbm", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    methods = open_methods(arguments.method, arguments.threads, "source")
    print("| pairs | px | " + " | ".join(methods) + " |\n| --- | --- |" + " --: |" * len(methods))
    if not arguments.data:
        rows = of_shifts(methods)
    else:
        matcher = make_method("sgbm", arguments.threads)[1] if arguments.against_sgbm else None
        sets = open_sets(arguments.data)
        rows = (
            row for name, dataset in sets.items() for row in of_set(name, dataset, methods, arguments.step, matcher)
        )
    for pairs, pixels, medians in rows:
        print(f"| {pairs} | {pixels} | " + " | ".join(f"{median:+.2f}" for median in medians) + " |", flush=True)


Row = tuple[str, str, list[float]]


def of_shifts(methods: dict[str, Method]) -> Iterator[Row]:
    """Median error on pairs that are one picture, seen SHIFTS_PX columns apart; mean over two pictures."""
    for shift_px in SHIFTS_PX:
        wide = [matched_pair(192, 320 + shift_px, seed=seed).left for seed in (5, 6)]
        cuts = {"left": slice(320), "right": slice(shift_px, None)}
        pairs = [{name: np.ascontiguousarray(w[:, cut]) for name, cut in cuts.items()} for w in wide]
        predictions = [[method(pair).disparity_px[:, LEFT_MARGIN_PX:] for pair in pairs] for method in methods.values()]
        yield "shifted", str(shift_px), [float(np.mean([np.median(a) for a in two])) - shift_px for two in predictions]


def of_set(name: str, dataset: Dataset, methods: dict[str, Method], step: int, matcher: Method | None) -> Iterator[Row]:
    """Median of prediction minus truth, or minus SGBM's own prediction, by range of the latter."""
    truths, errors = [], []
    for index in range(0, len(dataset), step):
        sample = dataset[index]
        pair = {"left": sample.left, "right": sample.right}
        predictions = np.stack([method(pair).disparity_px for method in methods.values()])
        if matcher is None:
            truth_px = sample.disparity_px
            counts = np.isfinite(truth_px) & (truth_px > 0)
        else:
            matched = matcher(pair)
            truth_px = matched.disparity_px
            counts = matched.parts["own predictions"] & (np.abs(predictions - truth_px) < NEAR_PX).all(0)
        truths.append(truth_px[counts])
        errors.append((predictions - truth_px)[:, counts])
    truth_px, error_px = np.concatenate(truths), np.concatenate(errors, 1)
    for low, high in pairwise(EDGES_PX):
        inside = (truth_px >= low) & (truth_px < high)
        if inside.sum() > 500:
            yield name, f"{low:g} to {high:g}", [float(m) for m in np.median(error_px[:, inside], 1)]


if __name__ == "__main__":
    main()
