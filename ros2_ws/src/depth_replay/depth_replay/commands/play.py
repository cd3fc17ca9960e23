# SPDX-License-Identifier: Apache-2.0
"""Arguments of `depth_replay play`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..live.decode_ahead import TRANSPORTS
from ..live.player import PlayOptions, play
from ..messages.topics import absolute


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    parser.add_argument("bag", type=Path, help="bag folder, .mcap or .db3 file")
    speed = parser.add_mutually_exclusive_group()
    speed.add_argument("--rate", type=_positive, default=1.0, metavar="X", help="speed relative to bag time (1)")
    speed.add_argument("--hz", type=_positive, metavar="N", help="frames per second, whatever the bag has")
    parser.add_argument("--loop", type=int, default=1, metavar="N", help="play N times, 0 = until Ctrl-C (1)")
    parser.add_argument(
        "--clock", type=_positive, nargs="?", const=40.0, default=0.0, metavar="HZ", help="publish /clock (40 Hz)"
    )
    parser.add_argument("--transport", choices=TRANSPORTS, default="as-recorded", help="decode or encode images")
    parser.add_argument("--topics", nargs="+", default=[], metavar="TOPIC", help="play only these")
    parser.add_argument("--remap", nargs="+", default=[], metavar="A:=B", help="publish topic A as B")
    parser.add_argument(
        "--wait-for-subscribers", type=float, default=0.0, metavar="S", help="wait up to S seconds, then fail"
    )
    parser.add_argument("--start-delay", type=float, default=0.0, metavar="S", help="wait before the first message")
    parser.add_argument("--best-effort", action="store_true", help="publish best effort instead of reliable")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write what was sent, and when, as JSON")


def run(args: argparse.Namespace) -> int:
    """Play and say what was sent."""
    options = PlayOptions(
        rate=args.rate,
        hz=args.hz,
        loops=args.loop,
        clock_hz=args.clock,
        transport=args.transport,
        topics=tuple(args.topics),
        remaps=parse_remaps(args.remap),
        wait_for_subscribers_s=args.wait_for_subscribers,
        start_delay_s=args.start_delay,
        best_effort=args.best_effort,
    )
    report = play(args.bag, options)
    if args.report:
        args.report.write_text(report.to_json(), encoding="utf-8")
    print(
        f"sent {len(report.frames)} frames, {report.messages} messages in {report.seconds:.1f} s "
        f"({report.rate_hz:.2f} Hz, at most {report.latest_ms:.1f} ms late)"
    )
    return 0


def parse_remaps(pairs: list[str]) -> dict[str, str]:
    """["a:=b"] as {"/a": "/b"}.

    Raises ValueError for anything else.
    """
    remaps = {}
    for pair in pairs:
        before, separator, after = pair.partition(":=")
        if not (separator and before and after):
            raise ValueError(f"expected a remap such as cam0/image:=left/image_rect, got '{pair}'")
        remaps[absolute(before)] = absolute(after)
    return remaps


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"expected a number > 0, got {text}")
    return value
