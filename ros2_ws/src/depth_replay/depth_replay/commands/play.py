# SPDX-License-Identifier: Apache-2.0
"""Publish a bag through ROS 2 with its own stamps, at a chosen rate."""

from __future__ import annotations

import argparse

from depth_runtime.command_line import path_argument

from ..live.decode_ahead import TRANSPORTS
from ..live.player import PlayOptions, play
from ..live.ros import stop_event
from ..messages.topics import absolute


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bag", type=path_argument, help="bag folder, .mcap or .db3 file")
    speed = parser.add_mutually_exclusive_group()
    speed.add_argument("--rate", type=_positive, default=1.0, metavar="X", help="speed relative to bag time")
    speed.add_argument("--hz", type=_positive, metavar="N", help="frames per second, whatever the bag has")
    parser.add_argument("--loop", type=int, default=1, metavar="N", help="play N times, 0 = until Ctrl-C")
    parser.add_argument(
        "--clock", type=_positive, nargs="?", const=40.0, metavar="HZ", help="publish /clock, without HZ at 40 Hz"
    )
    parser.add_argument("--transport", choices=TRANSPORTS, default="as-recorded", help="decode or encode images")
    parser.add_argument("--topic", action="append", default=[], help="play only this; repeatable")
    parser.add_argument("--remap", action="append", default=[], metavar="A:=B", help="publish topic A as B; repeatable")
    parser.add_argument(
        "--wait-for-subscribers", type=float, default=0.0, metavar="S", help="wait up to S seconds, then fail"
    )
    parser.add_argument("--start-delay", type=float, default=0.0, metavar="S", help="wait before the first message")
    parser.add_argument("--best-effort", action="store_true", help="publish best effort instead of reliable")
    parser.add_argument("--report", type=path_argument, metavar="FILE", help="write what was sent, and when, as JSON")


def run(arguments: argparse.Namespace) -> None:
    """Play and say what was sent."""
    options = PlayOptions(
        rate=arguments.rate,
        hz=arguments.hz,
        loops=arguments.loop,
        clock_hz=arguments.clock or 0.0,
        transport=arguments.transport,
        topics=tuple(arguments.topic),
        remaps=parse_remaps(arguments.remap),
        wait_for_subscribers_s=arguments.wait_for_subscribers,
        start_delay_s=arguments.start_delay,
        best_effort=arguments.best_effort,
    )
    with stop_event() as stop:
        report = play(arguments.bag, options, stop)
    if arguments.report:
        arguments.report.write_text(report.to_json(), encoding="utf-8")
    print(
        f"sent {len(report.frames)} frames, {report.messages} messages in {report.seconds:.1f} s "
        f"({report.rate_hz:.2f} Hz, at most {report.latest_ms:.1f} ms late)"
    )
    stop.end_command()


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
