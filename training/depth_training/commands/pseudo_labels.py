# SPDX-License-Identifier: Apache-2.0
"""Label pairs without truth by what stereo methods agree on, so that a network can learn from them.

OUT becomes a plain folder: left/, right/ and disparity/ (16-bit PNG, pixels x 256, 0 = none). A pixel is labelled with
the first method's disparity where each method finds the same from both eyes and all agree; --sky leaves out what a
network takes for sky. A pair that has been labelled is left alone, so a call that was stopped goes on where it was;
pseudo_labels.json says what the labels were made with.
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
from depth_runtime.command_line import path_argument
from depth_runtime.files.disparity_png import write_disparity
from depth_runtime.files.images import write_png
from depth_runtime.files.reading import read_json
from tqdm import tqdm

from ..data import Sample
from ..evaluation.methods import make_method
from ..labelling.pseudo_labels import pseudo_labels, without_sky
from .evaluate import open_methods, open_sets

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("data", nargs="+", metavar="DATA", help="NAME=ROOT[@SPLIT] of stereo pairs")
    parser.add_argument("--option", action="append", default=[], metavar="NAME.KEY=VALUE", help="as in `evaluate`")
    parser.add_argument("--method", action="append", required=True, help="teacher, as in `evaluate`; repeatable")
    parser.add_argument("--sky", metavar="METHOD", help="label nothing that this network takes for sky: zoo:stereo_s")
    parser.add_argument("--out", type=path_argument, required=True, help="folder to write")
    parser.add_argument("--tolerance", type=float, default=1.0, help="most disagreement, px")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads of every method")


def run(arguments: argparse.Namespace) -> None:
    """Write what is missing.

    Raises ValueError for frames without a right view, --sky without classes, and an --out that was made otherwise.
    """
    sets = open_sets(arguments.data, arguments.option)
    teachers = list(open_methods(arguments.method, arguments.threads, "source").values())
    sky = make_method(arguments.sky, arguments.threads)[1] if arguments.sky else None
    names = ("data", "option", "method", "sky", "tolerance")
    remember(arguments.out, {name: getattr(arguments, name) for name in names})
    frames = [(dataset, index) for dataset in sets.values() for index in range(len(dataset))]
    targets = [arguments.out / "disparity" / f"{place:06d}.png" for place in range(len(frames))]
    waiting = [(frame, target) for frame, target in zip(frames, targets, strict=True) if not target.is_file()]
    log.info("%d pairs, %d of them labelled before", len(frames), len(frames) - len(waiting))
    density = []
    for (dataset, index), target in tqdm(waiting, desc="label", unit="pair"):
        sample = dataset[index]
        if sample.right is None:
            raise ValueError(f"expected stereo pairs, got no right view in '{sample.name}'; choose a stereo data set")
        labels_px = pseudo_labels(sample.left, sample.right, teachers, arguments.tolerance)
        if sky is not None:
            labels_px = without_sky(labels_px, sample.left, sample.right, sky)
        density.append(np.isfinite(labels_px).mean())
        _write(arguments.out, target.name, sample, labels_px)
    if density:
        log.info("%.1f %% of the pixels labelled, in %s", 100 * np.mean(density), arguments.out)


def remember(out: Path, settings: dict[str, Any]) -> None:
    """Write what the labels are made with. Raises ValueError when other settings stand in the folder."""
    path = out / "pseudo_labels.json"
    if not path.is_file():
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings, indent=1) + "\n")
        return
    before = read_json(path)
    if before != settings:
        different = {name: before.get(name) for name in settings if before.get(name) != settings[name]}
        raise ValueError(
            f"expected the settings of {path}, got others than {different}; repeat them or choose another --out"
        )


def _write(out: Path, name: str, sample: Sample, labels_px: np.ndarray) -> None:
    """Write the pair, then its labels; labels that 16 bit cannot hold count as none."""
    write_png(out / "left" / name, sample.left)
    write_png(out / "right" / name, sample.right)
    write_disparity(out / "disparity" / name, labels_px)
