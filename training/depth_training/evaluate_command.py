# SPDX-License-Identifier: Apache-2.0
"""Score stereo methods on pairs with true disparity, all on the same pixels.

Methods: zoo:NAME_OR_PATH (a contract file through the runtime's pipeline), sgbm (OpenCV), hitnet:PATH.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from .evaluate import Watcher, evaluate, markdown, summarise
from .stereo_methods import Answer, make_method
from .stereo_pairs import StereoPair, read_pairs

TILE_WIDTH = 480


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--data", type=Path, required=True, help="CSV: dataset,id,left,right,disparity (uint16 PNG / 256, 0 = unknown)"
    )
    parser.add_argument("--method", action="append", required=True, help="zoo:NAME, sgbm, hitnet:PATH; repeatable")
    parser.add_argument("--dataset", action="append", help="only this data set; repeatable")
    parser.add_argument(
        "--max-disparity", type=float, default=192.0, help="larger true disparities do not count (px, default 192)"
    )
    parser.add_argument("--threads", type=int, default=2, help="CPU threads of every method")
    parser.add_argument("--json", type=Path, help="write the rows of every pair and the summary here")
    parser.add_argument("--pictures", type=Path, help="write one sheet per pair into this folder")


def run(arguments: argparse.Namespace) -> None:
    """Evaluate, print the table and write what was asked for."""
    pairs = read_pairs(arguments.data)
    if arguments.dataset:
        pairs = [pair for pair in pairs if pair.dataset in arguments.dataset]
    methods = dict(make_method(text, arguments.threads) for text in arguments.method)
    watch = picture_writer(arguments.pictures, list(methods)[-1]) if arguments.pictures else None
    rows = evaluate(pairs, methods, arguments.max_disparity, watch)
    summary = summarise(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps({"summary": summary, "pairs": rows}, indent=1))
    print(markdown(summary))


def picture_writer(folder: Path, last_method: str) -> Watcher:
    """Collects the answers of a pair and writes left, truth and every method as one row of pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    tiles: list[np.ndarray] = []

    def watch(pair: StereoPair, method: str, answer: Answer) -> None:
        truth = pair.truth_px()
        top = 1.05 * float(np.percentile(truth[truth > 0], 99.5)) if (truth > 0).any() else 64.0
        if not tiles:
            tiles.extend((pair.images()[0][:, :, ::-1], _colour(truth, top)))
        tiles.append(_colour(answer.disparity_px, top))
        if method == last_method:
            height = round(TILE_WIDTH * truth.shape[0] / truth.shape[1])
            small = [cv2.resize(t, (TILE_WIDTH, height), interpolation=cv2.INTER_AREA) for t in tiles]
            cv2.imwrite(str(folder / f"{pair.dataset}_{pair.id}.png"), np.hstack(small))
            tiles.clear()

    return watch


def _colour(disparity_px: np.ndarray, top_px: float) -> np.ndarray:
    scaled = np.clip(disparity_px / top_px * 255, 0, 255).astype(np.uint8)
    colour = cv2.applyColorMap(scaled, cv2.COLORMAP_TURBO)
    return np.where((disparity_px > 0)[..., None], colour, 0).astype(np.uint8)
