# SPDX-License-Identifier: Apache-2.0
"""One command line for every program: a table of commands, and what all of them promise.

Exit codes: 0 done; 1 what the user or their machine must change, told in one line on stderr; 2 a wrong command line;
130 Ctrl-C. A fault of the program itself keeps its traceback.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .errors import UserError

PACKAGES = ("depth_runtime", "depth_models", "depth_training", "depth_export", "depth_replay", "depth_nodes")
DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
_HANDLED = (UserError, ValueError, OSError, ModuleNotFoundError)


@dataclass(frozen=True)
class Command:
    """A module with configure(parser) and run(arguments), imported only when its command is used."""

    module: str
    help: str


@dataclass(frozen=True)
class Program:
    """A program and its commands by name; distribution: whose version it tells.

    others: logging level of every package that is not of this house.
    """

    name: str
    distribution: str
    description: str | None
    commands: Mapping[str, Command]
    others: int = logging.WARNING

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Run one command line (default: that of the process) and return the exit code; see the module."""
        words = list(sys.argv[1:] if argv is None else argv)
        try:
            self.run(words)
            sys.stdout.flush()
        except SystemExit as end:
            return _exit_code(end)
        except KeyboardInterrupt:
            print(f"{self._label(words)}: stopped by Ctrl-C", file=sys.stderr)
            return INTERRUPTED
        except _HANDLED as error:
            if _is_fault(error):
                raise
            if isinstance(error, BrokenPipeError) and _reader_is_gone():
                return FAILED
            if "--debug" in words:
                traceback.print_exc()
            print(f"{self._label(words)}: {_text(error)}", file=sys.stderr)
            return FAILED
        return DONE

    def run(self, argv: Sequence[str]) -> None:
        """Run one command line; every error is raised as it comes, SystemExit for --help and a wrong command line."""
        _log_to_stderr(self.others)
        place = _place_of_command(argv)
        chosen = self._parser().parse_args(argv[: place + 1]).command
        arguments = self.parser_of(chosen).parse_args(argv[place + 1 :])
        importlib.import_module(self.commands[chosen].module).run(arguments)

    def parser_of(self, name: str) -> argparse.ArgumentParser:
        """Parser of a command's own words."""
        module = importlib.import_module(self.commands[name].module)
        parser = self._new_parser(f"{self.name} {name}", module.__doc__)
        module.configure(parser)
        return parser

    def _parser(self) -> argparse.ArgumentParser:
        """Parser of the words up to the command."""
        parser = self._new_parser(self.name, self.description)
        choices = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
        for name, command in self.commands.items():
            choices.add_parser(name, help=command.help, add_help=False)
        parser.epilog = f"`{self.name} COMMAND --help` lists the options of a command."
        return parser

    def _new_parser(self, prog: str, description: str | None) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(prog, description=description, formatter_class=_Formatter, allow_abbrev=False)
        parser.add_argument("--version", action=_Version, program=self, help="show the version and exit")
        parser.add_argument("--debug", action="store_true", help="show the traceback of an error as well")
        return parser

    def _label(self, words: Sequence[str]) -> str:
        name = "".join(words[_place_of_command(words) :][:1])
        return f"{self.name} {name}" if name in self.commands else self.name


def path_argument(text: str) -> Path:
    """A path of the command line, `~` expanded."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"expected a path, got '{text}': {error}") from error


def size_argument(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT of the command line as (height, width)."""
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT in pixels, such as 640x384, got '{text}'")
    return int(height), int(width)


@contextmanager
def children_without_ctrl_c() -> Iterator[None]:
    """Processes that are started inside never hear Ctrl-C, which a terminal sends to all: their parent ends them.

    For the main thread and short: Ctrl-C is lost meanwhile.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Formatter(argparse.HelpFormatter):
    """Adds "(default: X)" where there is one; a default that is computed stands in the help's own words."""

    def _get_help_string(self, action: argparse.Action) -> str:
        text, default = action.help or "", action.default
        silent = default is None or default is argparse.SUPPRESS or isinstance(default, bool) or default in ("", [], ())
        return text if silent or "(default:" in text else f"{text} (default: {_shown(default)})"


def _shown(default: object) -> str:
    words = default if isinstance(default, (list, tuple)) else [default]
    return " ".join(str(word) for word in words).replace("%", "%%")


class _Version(argparse.Action):
    """Prints the program's version; the metadata are read only then."""

    def __init__(self, option_strings: Sequence[str], dest: str, program: Program, help: str) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS, help=help)
        self.program = program

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print and end."""
        try:
            version = importlib.metadata.version(self.program.distribution)
        except importlib.metadata.PackageNotFoundError:
            version = "(not installed)"
        print(f"{self.program.name} {version}")
        parser.exit()


def _place_of_command(words: Sequence[str]) -> int:
    """Index of the command's name, which options without values may precede; len(words) when there is none."""
    return next((place for place, word in enumerate(words) if not word.startswith("-")), len(words))


def _exit_code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or DONE
    print(end.code, file=sys.stderr)
    return FAILED


def _is_fault(error: BaseException) -> bool:
    """True for a module of this house that cannot be found: no package that a user could install."""
    return isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in PACKAGES


def _text(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"expected the Python package '{error.name}', got none; install it"
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        return f"expected {error.filename}, got none; check the path"
    return str(error) or type(error).__name__


def _reader_is_gone() -> bool:
    """True when nobody reads stdout any more (`... | head`), which is then closed without a word."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _log_to_stderr(others: int) -> None:
    logging.basicConfig(level=others, format="%(message)s")
    for name in PACKAGES:
        logging.getLogger(name).setLevel(logging.INFO)
