# SPDX-License-Identifier: Apache-2.0
"""Compare photometric and deep-feature matching on one pair: curves of chosen pixels, entropy of all curves, and what
their minimum says in texture-less areas and at depth edges.

Writes a picture (needs matplotlib) and prints a table. Regions and errors follow the true disparity where --truth gives
one (16-bit PNG, pixels x 256, 0 = unknown); without it the regions follow the network's own prediction.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from depth_runtime.command_line import path_argument
from depth_runtime.files.disparity_png import read_disparity
from depth_runtime.files.images import read_rgb_together
from depth_runtime.tables import json_text, markdown_table, number

from ..evaluation.distance_plot import require_matplotlib
from ..evaluation.torch_backend import load_network
from ..matching.analysis import feature_curves, network_features, photometric_curves, regions, summarise_curves
from ..matching.plot import Pixel, PlottedPair, plot_matching
from ..reconstruction import DISTANCES, SAMPLINGS


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("left", type=path_argument, help="left image")
    parser.add_argument("right", type=path_argument, help="right image")
    parser.add_argument(
        "--weights", type=path_argument, required=True, help="last.pt or weights.pt of dispnet or stereo_s"
    )
    parser.add_argument("--out", type=path_argument, required=True, help="picture to write")
    parser.add_argument("--truth", type=path_argument, help="true disparity of the left view")
    parser.add_argument("--pixel", action="append", default=[], metavar="X,Y", help="draw this curve; repeatable")
    parser.add_argument("--candidates", type=int, default=96, metavar="N", help="disparities 0..N-1 px")
    parser.add_argument("--layer", type=int, help="one layer of the features, 0 = finest (default: mean of all)")
    parser.add_argument("--distance", choices=sorted(DISTANCES), default="cosine", help="of feature vectors")
    parser.add_argument("--sampling", choices=sorted(SAMPLINGS), default="bilinear", help="of the right view")
    parser.add_argument("--json", type=path_argument, help="write the table here as well")


def run(arguments: argparse.Namespace) -> None:
    """Analyse, print the table, write the picture."""
    require_matplotlib()
    network, _ = load_network(arguments.weights)
    left, right = read_rgb_together(arguments.left, arguments.right)
    views = [torch.from_numpy(image).permute(2, 0, 1).float()[None] for image in (left, right)]
    prediction, size = network_features(network, *views)
    height, width = left.shape[:2]
    disparity_px = prediction["disparity"][0, 0, :height, :width].numpy()
    layers = [_chosen(prediction[f"{side}_features"], arguments.layer) for side in ("left", "right")]
    options = (arguments.candidates, arguments.distance, arguments.sampling)
    curves = {
        "photometric": photometric_curves(*views, arguments.candidates, arguments.sampling),
        "deep features": feature_curves(*layers, size, *options).cropped(height, width),
    }
    truth_px = read_disparity(arguments.truth) if arguments.truth else None
    masks = regions(left, disparity_px if truth_px is None else truth_px)
    table = {name: summarise_curves(one, masks, truth_px) for name, one in curves.items()}
    print(markdown(table))
    if arguments.json:
        arguments.json.write_text(json_text(table, indent=1))
    pixels = {text: parse_pixel(text, width, height) for text in arguments.pixel}
    pixels = pixels or typical_pixels(masks, arguments.candidates, truth_px)
    plot_matching(PlottedPair(left, disparity_px, truth_px), curves, pixels, arguments.out)


def _chosen(layers: tuple[torch.Tensor, ...], number: int | None) -> tuple[torch.Tensor, ...]:
    if number is None:
        return layers
    if not 0 <= number < len(layers):
        raise ValueError(f"expected --layer 0..{len(layers) - 1} for this network, got {number}; choose one of them")
    return layers[number : number + 1]


def parse_pixel(text: str, width: int, height: int) -> Pixel:
    """A pixel "X,Y". Raises ValueError when it is none of the image."""
    try:
        x, y = (int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"expected --pixel X,Y in whole numbers, got '{text}'; for example 320,200") from None
    if not (0 <= x < width and 0 <= y < height):
        raise ValueError(f"expected --pixel inside {width}x{height}, got '{text}'; choose another")
    return x, y


def typical_pixels(masks: dict[str, np.ndarray], candidates: int, truth_px: np.ndarray | None) -> dict[str, Pixel]:
    """One random pixel (always the same) of each region, right of the columns that lack candidates."""
    rng, chosen = np.random.default_rng(0), {}
    for name, mask in masks.items():
        inside = mask.copy() if truth_px is None else mask & np.isfinite(truth_px)
        inside[:, : min(candidates, mask.shape[1] // 2)] = False
        rows, columns = np.nonzero(inside)
        if name != "all" and len(rows):
            place = rng.integers(len(rows))
            chosen[name] = (int(columns[place]), int(rows[place]))
    return chosen


def markdown(table: dict[str, dict[str, dict[str, float]]]) -> str:
    """The table: one row for each region and cost."""
    keys = list(next(iter(next(iter(table.values())).values())))
    titles = {"percent": "image %", "entropy": "entropy", "epe": "EPE px", "bad3": "bad-3 %"}
    rows = [
        [region, cost, *(number(by_region[region][key], 3 if key == "entropy" else 1) for key in keys)]
        for region in next(iter(table.values()))
        for cost, by_region in table.items()
    ]
    return markdown_table(("region", "cost", *(titles[key] for key in keys)), rows, text_columns=(0, 1))
