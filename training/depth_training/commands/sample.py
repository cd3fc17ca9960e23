# SPDX-License-Identifier: Apache-2.0
"""Render the sequence of the sample bag, one street with traffic and people, as a plain sequence folder.

Another size, length or seed makes another sequence; `depth_replay images-to-bag` makes a bag of it.
"""

from __future__ import annotations

import argparse
import os

from depth_runtime.command_line import path_argument, size_argument

from ..synthetic.sample import SampleConfig, render_sample


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    default = SampleConfig()
    parser.add_argument("--out", type=path_argument, required=True, help="folder to write")
    parser.add_argument("--frames", type=int, default=default.frames, help="length of the sequence")
    size = f"{default.width}x{default.height}"
    parser.add_argument("--size", type=size_argument, default=size, metavar="WIDTHxHEIGHT", help="of the views")
    parser.add_argument("--rate", type=float, default=default.rate_hz, metavar="HZ", help="frames per second")
    parser.add_argument("--seed", type=int, default=default.seed, help="of textures, houses, trees and gaits")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="that render at once")


def run(arguments: argparse.Namespace) -> None:
    """Render and write."""
    height, width = arguments.size
    config = SampleConfig(arguments.frames, width, height, arguments.rate, arguments.seed)
    render_sample(arguments.out, config, arguments.processes)
