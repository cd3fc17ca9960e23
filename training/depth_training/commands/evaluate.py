# SPDX-License-Identifier: Apache-2.0
"""Score stereo methods on pairs with true disparity and on labelled frames, all on the same pixels.

Methods: zoo:NAME_OR_PATH (a contract file through the runtime's pipeline), checkpoint:PATH (last.pt or weights.pt of
`train`), sgbm (OpenCV), onnx:MODEL.onnx[@DESCRIPTION.toml] (a network of others).
Data: a CSV file of pairs, or NAME=ROOT, NAME=ROOT@SPLIT of any data set (see docs/training/data.md).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from depth_runtime.command_line import path_argument
from depth_runtime.tables import json_text

from ..core.strict_config import override
from ..data import Dataset, make_dataset
from ..evaluation.distance_plot import plot_by_distance, require_matplotlib
from ..evaluation.evaluate import CROPS, Limits, evaluate
from ..evaluation.method import Method
from ..evaluation.methods import make_method
from ..evaluation.report import as_json, class_markdown, markdown, summarise
from ..evaluation.sheets import sheet_writer
from ..transforms.derived import derived


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    default = Limits()
    parser.add_argument("data", nargs="+", metavar="DATA", help="LIST.csv or NAME=ROOT[@SPLIT]")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME.KEY=VALUE",
        help="option of a data set's reader, as in TOML; repeatable",
    )
    parser.add_argument(
        "--method",
        action="append",
        required=True,
        help="zoo:NAME, checkpoint:PATH, sgbm, onnx:MODEL.onnx[@DESCRIPTION.toml]; repeatable",
    )
    parser.add_argument("--dataset", action="append", help="only this data set; repeatable")
    parser.add_argument("--shrink", type=int, default=1, help="score at 1/SHRINK of the pairs' size")
    parser.add_argument("--label-regions", action="store_true", help="region images from classes and instances")
    parser.add_argument(
        "--size",
        default="source",
        help="network size: source = the images' own, default = the network's own, or WIDTHxHEIGHT",
    )
    parser.add_argument(
        "--max-disparity",
        type=float,
        default=default.max_disparity_px,
        help="larger true disparities do not count, px",
    )
    parser.add_argument(
        "--max-depth",
        type=float,
        default=default.max_depth_m,
        help="for depth, farther truth does not count, and farther predictions are cut to it, m",
    )
    parser.add_argument("--crop", choices=CROPS, default=default.crop, help="garg: depth inside the Eigen split's crop")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads of every method")
    parser.add_argument(
        "--json", type=path_argument, help="write the rows of every pair and all that was summed up here"
    )
    parser.add_argument("--pictures", type=path_argument, help="write one sheet per frame into this folder")
    parser.add_argument(
        "--plot", type=path_argument, help="write the depth error by distance as a picture (needs matplotlib)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Evaluate, print the tables and write what was asked for."""
    if arguments.plot:
        require_matplotlib()
    sets = open_sets(arguments.data, arguments.option)
    unknown = sorted(set(arguments.dataset or ()) - set(sets))
    if unknown:
        raise ValueError(f"expected --dataset among {list(sets)}, got {unknown}; correct it")
    wanted = arguments.dataset or sets
    sets = {
        name: derived(dataset, arguments.shrink, arguments.label_regions)
        for name, dataset in sets.items()
        if name in wanted
    }
    methods = open_methods(arguments.method, arguments.threads, arguments.size)
    limits = Limits(arguments.max_disparity, arguments.max_depth, arguments.crop)
    watch = sheet_writer(arguments.pictures) if arguments.pictures else None
    evaluation = evaluate(sets, methods, limits, watch)
    summary = summarise(evaluation)
    if arguments.json:
        names = ("data", "option", "method", "shrink", "label_regions", "size", "threads")
        settings = {name: getattr(arguments, name) for name in names}
        arguments.json.write_text(json_text(as_json(evaluation, summary, settings), indent=1))
    print("\n\n".join(filter(None, (markdown(summary), class_markdown(evaluation)))))
    if arguments.plot:
        plot_by_distance(evaluation.by_distance, arguments.plot)


def open_methods(texts: Sequence[str], threads: int, size: str) -> dict[str, Method]:
    """The methods by the name of their row. Raises ValueError when two would have one name."""
    methods: dict[str, Method] = {}
    for text in texts:
        name, method = make_method(text, threads, size)
        if name in methods:
            raise ValueError(f"expected methods of different names, got '{name}' again in '{text}'; rename the file")
        methods[name] = method
    return methods


def open_sets(texts: Sequence[str], options: Sequence[str] = ()) -> dict[str, Dataset]:
    """The data sets by name; a list gives one for each value of its column `dataset`.

    options: NAME.KEY=VALUE for the readers. Raises ValueError when a name comes twice, or an option's set not at all.
    """
    sets: dict[str, Dataset] = {}
    by_name: dict[str, Any] = {}
    for text in options:
        override(by_name, text)
    for text in texts:
        name, equals, place = text.partition("=")
        if equals:
            root, _, split = place.partition("@")
            found = {name: make_dataset(name, root, split or None, **by_name.pop(name, {}))}
        else:
            found = {part: make_dataset("csv", text, part) for part in make_dataset("csv", text).names}
        twice = sorted(set(found) & set(sets))
        if twice:
            raise ValueError(f"expected every data set once, got {twice} again in '{text}'; evaluate them apart")
        sets |= found
    if by_name:
        raise ValueError(f"expected options of the sets NAME=ROOT in DATA, got some of {sorted(by_name)}; correct them")
    return sets
