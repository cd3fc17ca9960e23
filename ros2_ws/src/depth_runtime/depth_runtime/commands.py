# SPDX-License-Identifier: Apache-2.0
"""Commands of the runtime as a table, which depth_export offers as well beside its own."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from . import bench, build_engine
from .backends import BackendError


class Command(NamedTuple):
    """configure adds the options to a parser, run takes what was parsed."""

    help: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]


COMMANDS = {
    "build-engine": Command(
        "contract ONNX file -> TensorRT engine in a cache folder", build_engine.configure, build_engine.run
    ),
    "bench": Command("time backends and networks against each other in one run", bench.configure, bench.run),
}


def run_commands(
    prog: str, description: str, commands: Mapping[str, Command], arguments: Sequence[str] | None = None
) -> None:
    """Parse a command line and run its command; what cannot work ends with exit code 1 and one line."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    choices = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in commands.items():
        command.configure(choices.add_parser(name, help=command.help))
    options = parser.parse_args(arguments)
    try:
        commands[options.command].run(options)
    except (BackendError, ValueError, OSError) as error:
        parser.exit(1, f"{prog} {options.command}: {error}\n")
