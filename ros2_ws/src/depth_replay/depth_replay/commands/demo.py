# SPDX-License-Identifier: Apache-2.0
"""Arguments of `depth_replay demo`."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from ..live.decode_ahead import TRANSPORTS
from ..live.demo import DemoOptions, run_demo
from ..scoring.report import report_text
from .play import parse_remaps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    parser.add_argument("bag", type=Path, help="bag folder, .mcap or .db3 file with a rectified stereo pair")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--model", default="stereo_s", help="zoo name or ONNX file (stereo_s)")
    parser.add_argument("--hz", type=float, default=5.0, help="frames per second, 0 = as recorded (5)")
    parser.add_argument("--transport", choices=TRANSPORTS[1:], default="raw", help="how images reach the node")
    parser.add_argument("--params", type=Path, metavar="FILE", help="ROS parameters for the node (YAML)")
    parser.add_argument("--param", nargs="+", default=[], metavar="NAME:=VALUE", help="single node parameters")
    parser.add_argument("--remap", nargs="+", default=[], metavar="A:=B", help="topic of the bag := interface name")
    parser.add_argument("--points", action="store_true", help="record the point cloud as well")


def run(args: argparse.Namespace) -> int:
    """Run the demo and print its tables."""
    options = DemoOptions(
        bag=args.bag,
        out=args.out,
        model=args.model,
        hz=args.hz or None,
        transport=args.transport,
        params_file=args.params,
        parameters=tuple(args.param),
        remaps=tuple(args.remap),
        points=args.points,
    )
    # The children are stopped on the way out of an exception; SIGTERM alone would leave them behind.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        report = run_demo(options, parse_remaps(args.remap))
    finally:
        signal.signal(signal.SIGTERM, before)
    print(report_text(report))
    print(f"\nresults: {args.out}/outputs.mcap, contact_sheet.png, report.json")
    return 0
