# SPDX-License-Identifier: Apache-2.0
"""Disparity of a rectified pair, or of two folders of pairs with equal names, by a checkpoint or a zoo network.

OUT receives NAME_disparity.png (16 bit, pixels x 256, 0 = none) and NAME_color.png for the eye (blue far, red near).
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np
from depth_runtime.backends import Backend, make_backend
from depth_runtime.command_line import path_argument
from depth_runtime.drawing import colour_values
from depth_runtime.files.disparity_png import MAX_PX, write_disparity
from depth_runtime.files.images import paired_by_name, read_rgb_together, write_png
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.zoo import resolve_model
from tqdm import tqdm

from ..evaluation.torch_backend import TorchBackend, load_network

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("left", type=path_argument, help="left image, or a folder of them")
    parser.add_argument("right", type=path_argument, help="right image, or a folder with the same names")
    parser.add_argument("--model", required=True, help="last.pt or weights.pt of a run, a zoo name or an ONNX file")
    parser.add_argument("--out", type=path_argument, required=True, help="folder to write")
    parser.add_argument("--top", type=float, help="disparity of the reddest colour, px (default: of each image)")


def run(arguments: argparse.Namespace) -> None:
    """Predict and write."""
    pairs = find_pairs(arguments.left, arguments.right)
    if arguments.out.resolve() in {path.parent.resolve() for pair in pairs for path in pair}:
        raise ValueError(f"expected --out apart from the images, got their folder {arguments.out}; choose another")
    pipeline = StereoPipeline(make_any_backend(arguments.model))
    arguments.out.mkdir(parents=True, exist_ok=True)
    for left, right in tqdm(pairs, desc="predict", unit="pair"):
        images = dict(zip(("left", "right"), read_rgb_together(left, right), strict=True))
        if images["left"].shape != images["right"].shape:
            sizes = " and ".join(f"{image.shape[1]}x{image.shape[0]}" for image in images.values())
            raise ValueError(f"expected a rectified pair of one size, got {sizes} in {left} and {right}")
        result = pipeline.process(images, maps=())
        write_prediction(arguments.out, left.stem, result.disparity_px, arguments.top)
    log.info("%d disparity maps in %s", len(pairs), arguments.out)


def make_any_backend(model: str) -> Backend:
    """A torch backend for a .pt file, else the runtime's own for a zoo name or an ONNX file."""
    return (
        TorchBackend(*load_network(Path(model).expanduser()))
        if model.endswith(".pt")
        else make_backend(resolve_model(model))
    )


def find_pairs(left: Path, right: Path) -> list[tuple[Path, Path]]:
    """Left and right files that belong together, by name.

    Raises ValueError when a path is missing, when one is a file and the other a folder, or as paired_by_name does.
    """
    for path in (left, right):
        if not path.exists():
            raise ValueError(f"expected an image or a folder, got nothing at {path}; check the path")
    if left.is_file() and right.is_file():
        return [(left, right)]
    if left.is_file() or right.is_file():
        raise ValueError(f"expected two images or two folders, got {left} and {right}")
    return paired_by_name(left, right)


def write_prediction(folder: Path, name: str, disparity_px: np.ndarray, top_px: float | None) -> None:
    """Write the 16-bit map and its colours; a disparity above the format's range is written as its largest."""
    top_px = top_px or max(1.0, float(np.percentile(disparity_px, 99)))
    write_disparity(folder / f"{name}_disparity.png", np.minimum(disparity_px, np.float32(MAX_PX)))
    write_png(folder / f"{name}_color.png", colour_values(disparity_px, top_px))
