# SPDX-License-Identifier: Apache-2.0
"""Pack folders of photos, and computed textures, into an archive for `world.textures` of a recipe.

COUNT square crops of a folder are taken in turn from its images (also in folders below), so that some thousand photos
fit into a few tens of megabytes. Keep photos of evaluation pairs out of the folders.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from depth_runtime.command_line import path_argument
from tqdm import tqdm

from ..synthetic.pack import crops_of, write_archive
from ..synthetic.procedural import make_textures


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("photos", nargs="*", type=photos_argument, metavar="COUNT:FOLDER", help="crops of a folder")
    parser.add_argument("--out", type=path_argument, required=True, help="archive to write, .npz")
    parser.add_argument("--computed", type=int, default=0, help="computed textures to add")
    parser.add_argument("--seed", type=int, default=0, help="of crops and computed textures")


def run(arguments: argparse.Namespace) -> None:
    """Crop, compute, pack. Raises ValueError without a source and for a folder without usable images."""
    rng = random.Random(arguments.seed)
    images, categories = make_textures(arguments.computed, arguments.seed)
    for count, folder in arguments.photos:
        if not folder.is_dir():
            raise ValueError(f"expected a folder of photos at {folder}, got none; check the path")
        photos = list(tqdm(crops_of(folder, count, rng), total=count, desc=str(folder), unit="photo"))
        images, categories = images + photos, categories + ["photo"] * len(photos)
    if not images:
        raise ValueError("expected at least one source, got none; name COUNT:FOLDER or --computed COUNT")
    size = write_archive(arguments.out, images, categories)
    print(f"{len(images)} textures, {size / 1e6:.1f} MB: {arguments.out}")


def photos_argument(text: str) -> tuple[int, Path]:
    """COUNT:FOLDER of the command line."""
    count, separator, folder = text.partition(":")
    if not (separator and count.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected COUNT:FOLDER, got '{text}'; for example 200:photos")
    return int(count), path_argument(folder)
