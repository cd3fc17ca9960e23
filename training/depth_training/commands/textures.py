# SPDX-License-Identifier: Apache-2.0
"""Make an archive of textures from Debian packages of games and wallpapers, whose licences allow trained weights.

OUT.npz is for `world.textures` of a recipe; OUT.md lists packages, versions, licences and counts, for the model card.
The packages (about 3 GB) are fetched by apt-get, are not installed, and stay in the folder of --packages.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from ..synthetic.debian.build import computed, fitting, take, write
from ..synthetic.debian.packages import download, find
from ..synthetic.debian.select import Seen
from ..synthetic.debian.sources import SOURCES

logger = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--out", type=Path, default=Path("textures.npz"), help="archive to write")
    parser.add_argument(
        "--packages", type=Path, help="folder of .deb files (or unpacked ones) to use; nothing is fetched"
    )
    parser.add_argument("--cache", type=Path, default=Path("out/packages"), help="folder to fetch packages into")
    parser.add_argument("--limit-mib", type=float, default=55.0, help="size of the archive at most")
    parser.add_argument("--computed", type=int, default=3, help="computed textures of each kind that packages lack")
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> None:
    """Fetch, select, pack."""
    folder = arguments.packages or arguments.cache
    if arguments.packages is None:
        download([source.name for source in SOURCES], folder)
    elif not folder.is_dir():
        raise ValueError(f"expected a folder of .deb files, got {folder}; download the packages into it")
    seen, groups = Seen(), [computed(arguments.computed, arguments.seed)]
    for source in SOURCES:
        package = find(source.name, folder)
        if package is None:
            logger.warning("%s is not in %s: left out", source.name, folder)
            continue
        groups.append(take(source, package, seen, arguments.seed))
    if len(groups) == 1:
        names = ", ".join(source.name for source in SOURCES)
        raise ValueError(f"expected some of {names} in {folder}, got none; download them into it")
    textures = fitting(groups, int(arguments.limit_mib * 2**20))
    write(arguments.out, textures)
    size = arguments.out.stat().st_size
    logger.info("%d textures, %.1f MiB: %s", len(textures), size / 2**20, arguments.out)
