# SPDX-License-Identifier: Apache-2.0
"""Record topics into a bag until the duration is over, or until Ctrl-C, SIGTERM or SIGHUP, which leave a whole bag."""

from __future__ import annotations

import argparse
import os
import sys

from depth_runtime.command_line import path_argument

from ..live.recorder import RecordOptions, record
from ..live.ros import stop_event


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--out", type=path_argument, required=True, help="bag folder to make, or a single .mcap / .db3 file"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--topic", action="append", help="record this, as its publishers appear; repeatable")
    what.add_argument("--all", action="store_true", help="record every topic")
    parser.add_argument("--duration", type=float, default=0.0, metavar="S", help="stop after S seconds, 0 = never")
    parser.add_argument("--storage", choices=["mcap", "sqlite3"], default="mcap", help="storage of a bag folder")
    parser.add_argument("--zstd", action="store_true", help="compress MCAP chunks (costs processor time)")
    parser.add_argument("--queue-mb", type=int, default=512, metavar="N", help="memory for unwritten messages")
    parser.add_argument("--nice", type=int, default=0, metavar="N", help="run at a lower priority, 0..19")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing bag")


def run(arguments: argparse.Namespace) -> None:
    """Record until stopped and say what was dropped."""
    if arguments.nice:
        os.nice(arguments.nice)
    options = RecordOptions(
        topics=tuple(arguments.topic or ()),
        duration_s=arguments.duration,
        storage=arguments.storage,
        zstd=arguments.zstd,
        overwrite=arguments.overwrite,
        queue_bytes=arguments.queue_mb * 1024 * 1024,
    )
    with stop_event() as stop:
        dropped = record(arguments.out, options, stop)
    for topic, count in sorted(dropped.items()):
        print(f"{topic}: {count} messages dropped, the disk was too slow; raise --queue-mb", file=sys.stderr)
    print(f"{arguments.out}: written")
    stop.end_command()
