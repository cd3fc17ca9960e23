# SPDX-License-Identifier: Apache-2.0
"""Play a bag through the stereo node on this machine, over DDS, and report on what it published.

OUT receives outputs.mcap, contact_sheet.png, report.json and logs/.
"""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from depth_runtime.command_line import path_argument

from ..live.decode_ahead import TRANSPORTS
from ..live.demo import DemoOptions, run_demo
from ..live.pace import AUTO, WANTED_HZ
from ..scoring.report import report_text
from .play import parse_remaps


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bag", type=path_argument, help="bag folder, .mcap or .db3 file with a rectified stereo pair")
    parser.add_argument("--out", type=path_argument, default=Path("out/demo"), help="folder for the results")
    parser.add_argument(
        "--model",
        default=AUTO,
        help=f"zoo name or ONNX file; auto = the most accurate of the zoo that keeps {WANTED_HZ:g} Hz on this machine",
    )
    parser.add_argument(
        "--hz",
        type=_rate,
        default=AUTO,
        help="frames per second, 0 = as recorded; auto = as recorded where the network keeps up, else what it keeps",
    )
    parser.add_argument("--transport", choices=TRANSPORTS[1:], default="raw", help="how images reach the node")
    parser.add_argument("--params", type=path_argument, metavar="FILE", help="ROS parameters for the node (YAML)")
    parser.add_argument("--param", action="append", default=[], metavar="NAME:=VALUE", help="of the node; repeatable")
    parser.add_argument(
        "--remap", action="append", default=[], metavar="A:=B", help="topic of the bag := interface name; repeatable"
    )
    parser.add_argument("--points", action="store_true", help="record the point cloud as well")


def run(arguments: argparse.Namespace) -> None:
    """Run the demo and print its tables."""
    options = DemoOptions(
        bag=arguments.bag,
        out=arguments.out,
        model=arguments.model,
        hz=arguments.hz or None,
        transport=arguments.transport,
        params_file=arguments.params,
        parameters=tuple(arguments.param),
        remaps=tuple(arguments.remap),
        points=arguments.points,
    )
    # The children are stopped on the way out of an exception; SIGTERM alone would leave them behind.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        report = run_demo(options, parse_remaps(arguments.remap))
    finally:
        signal.signal(signal.SIGTERM, before)
    print(report_text(report))
    print(f"\nresults: {arguments.out}/outputs.mcap, contact_sheet.png, report.json")


def _rate(text: str) -> float | str:
    """A number, or AUTO. Raises ValueError for anything else, which argparse explains."""
    return AUTO if text == AUTO else float(text)
