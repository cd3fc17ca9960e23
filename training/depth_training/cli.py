# SPDX-License-Identifier: Apache-2.0
"""Command line of depth_training: one subcommand per module of COMMANDS."""

from __future__ import annotations

import argparse
import logging
import sys
from importlib import import_module

from depth_runtime.backends import BackendError

# Each module offers configure(parser) and run(arguments); it is imported only when its command is used.
COMMANDS = {
    "train": ("train", "train a stereo network by a recipe (TOML)"),
    "render": ("render", "render labelled stereo pairs of the procedural world"),
    "textures": ("textures", "make an archive of free textures from Debian packages"),
    "sam-masks": ("sam_masks", "region images of left views by Segment Anything or MobileSAM"),
    "pseudo-labels": ("pseudo_labels", "label pairs without truth by what stereo methods agree on"),
    "average": ("average", "the mean of several trainings of one network"),
    "predict": ("predict", "disparity images of a pair or a folder, by a checkpoint or a zoo network"),
    "analyse-matching": ("analyse_matching", "compare photometric and deep-feature matching on a pair"),
    "evaluate": ("evaluate", "score exported networks and OpenCV on pairs with true disparity"),
}


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run one command."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(prog="depth_training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, add_help=False)
        command.set_defaults(module=module)
    known, rest = parser.parse_known_args(arguments)
    module = import_module(f".commands.{known.module}", __package__)
    command = argparse.ArgumentParser(prog=f"depth_training {known.command}", description=module.__doc__)
    module.configure(command)
    module.run(command.parse_args(rest))


def program() -> None:
    """`main` for the shell: what cannot work ends with exit code 1 and one line."""
    try:
        main()
    except (BackendError, ValueError, OSError) as error:
        sys.exit(f"depth_training: {error}")
