# SPDX-License-Identifier: Apache-2.0
"""Arguments of `depth_replay record`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..live.recorder import RecordOptions, record


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    parser.add_argument("out", type=Path, help="bag folder to make, or a single .mcap / .db3 file")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--topics", nargs="+", metavar="TOPIC", help="record these, as their publishers appear")
    what.add_argument("--all", action="store_true", help="record every topic")
    parser.add_argument("--duration", type=float, default=0.0, metavar="S", help="stop after S seconds")
    parser.add_argument("--storage", choices=["mcap", "sqlite3"], default="mcap", help="storage of a bag folder")
    parser.add_argument("--zstd", action="store_true", help="compress MCAP chunks (costs processor time)")
    parser.add_argument("--queue-mb", type=int, default=512, metavar="N", help="memory for unwritten messages (512)")
    parser.add_argument("--nice", type=int, default=0, metavar="N", help="run at a lower priority, 0..19")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing bag")


def run(args: argparse.Namespace) -> int:
    """Record until stopped and say what was dropped."""
    if args.nice:
        os.nice(args.nice)
    dropped = record(
        args.out,
        RecordOptions(
            topics=tuple(args.topics or ()),
            duration_s=args.duration,
            storage=args.storage,
            zstd=args.zstd,
            overwrite=args.overwrite,
            queue_bytes=args.queue_mb * 1024 * 1024,
        ),
    )
    for topic, count in sorted(dropped.items()):
        print(f"{topic}: {count} messages dropped, the disk was too slow; raise --queue-mb", file=sys.stderr)
    print(f"{args.out}: written")
    return 0
