# SPDX-License-Identifier: Apache-2.0
"""Score stereo methods on pairs with true disparity, all on the same pixels.

Methods: zoo:NAME_OR_PATH (a contract file through the runtime's pipeline), checkpoint:PATH (last.pt or weights.pt of
`train`), sgbm (OpenCV), hitnet:PATH.
Data: a CSV file of pairs, or NAME=ROOT, NAME=ROOT@SPLIT of any data set (see docs/training.md).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from .data import Dataset, Sample, make_dataset
from .distance_plot import plot_by_distance, require_matplotlib
from .evaluate import Watcher, evaluate
from .evaluate_report import as_json, markdown, summarise
from .stereo_methods import Answer, make_method

TILE_WIDTH = 480


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--data", action="append", required=True, help="LIST.csv, NAME=ROOT[@SPLIT]; repeatable")
    parser.add_argument(
        "--method", action="append", required=True, help="zoo:NAME, checkpoint:PATH, sgbm, hitnet:PATH; repeatable"
    )
    parser.add_argument("--dataset", action="append", help="only this data set; repeatable")
    parser.add_argument(
        "--max-disparity", type=float, default=192.0, help="larger true disparities do not count (px, default 192)"
    )
    parser.add_argument("--threads", type=int, default=2, help="CPU threads of every method")
    parser.add_argument("--json", type=Path, help="write the rows of every pair and the summary here")
    parser.add_argument("--pictures", type=Path, help="write one sheet per pair into this folder")
    parser.add_argument("--plot", type=Path, help="write the depth error by distance as a picture (needs matplotlib)")


def run(arguments: argparse.Namespace) -> None:
    """Evaluate, print the table and write what was asked for."""
    if arguments.plot:
        require_matplotlib()
    sets = open_sets(arguments.data)
    unknown = sorted(set(arguments.dataset or ()) - set(sets))
    if unknown:
        raise ValueError(f"expected --dataset among {list(sets)}, got {unknown}; correct it")
    sets = {name: dataset for name, dataset in sets.items() if name in (arguments.dataset or sets)}
    methods = dict(make_method(text, arguments.threads) for text in arguments.method)
    watch = picture_writer(arguments.pictures, list(methods)[-1]) if arguments.pictures else None
    evaluation = evaluate(sets, methods, arguments.max_disparity, watch)
    summary = summarise(evaluation)
    if arguments.json:
        arguments.json.write_text(json.dumps(as_json(evaluation, summary), indent=1))
    print(markdown(summary))
    if arguments.plot:
        plot_by_distance(evaluation.by_distance, arguments.plot)


def open_sets(texts: list[str]) -> dict[str, Dataset]:
    """The data sets by name; a list gives one for each value of its column `dataset`.

    Raises ValueError when a name comes twice.
    """
    sets: dict[str, Dataset] = {}
    for text in texts:
        name, equals, place = text.partition("=")
        if equals:
            root, _, split = place.partition("@")
            found = {name: make_dataset(name, root, split or None)}
        else:
            found = {part: make_dataset("csv", text, part) for part in make_dataset("csv", text).names}
        twice = sorted(set(found) & set(sets))
        if twice:
            raise ValueError(f"expected every data set once, got {twice} again in '{text}'; evaluate them apart")
        sets |= found
    return sets


def picture_writer(folder: Path, last_method: str) -> Watcher:
    """Collects the answers of a pair and writes left, truth and every method as one row of pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    tiles: list[np.ndarray] = []

    def watch(dataset: str, sample: Sample, method: str, answer: Answer) -> None:
        truth_px = np.nan_to_num(sample.disparity_px)
        top = 1.05 * float(np.percentile(truth_px[truth_px > 0], 99.5)) if (truth_px > 0).any() else 64.0
        if not tiles:
            tiles.extend((sample.left[:, :, ::-1], _colour(truth_px, top)))
        tiles.append(_colour(answer.disparity_px, top))
        if method == last_method:
            height = round(TILE_WIDTH * truth_px.shape[0] / truth_px.shape[1])
            small = [cv2.resize(t, (TILE_WIDTH, height), interpolation=cv2.INTER_AREA) for t in tiles]
            name = f"{dataset}/{sample.name.removeprefix(f'{dataset}/')}".replace("/", "_")
            cv2.imwrite(str(folder / f"{name}.png"), np.hstack(small))
            tiles.clear()

    return watch


def _colour(disparity_px: np.ndarray, top_px: float) -> np.ndarray:
    scaled = np.clip(disparity_px / top_px * 255, 0, 255).astype(np.uint8)
    colour = cv2.applyColorMap(scaled, cv2.COLORMAP_TURBO)
    return np.where((disparity_px > 0)[..., None], colour, 0).astype(np.uint8)
