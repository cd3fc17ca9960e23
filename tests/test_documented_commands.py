# SPDX-License-Identifier: Apache-2.0
"""Every command line that the documents, cards, recipes and scripts show is one that the programs understand."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import depth_export.cli
import depth_replay.cli
import depth_runtime.cli
import depth_training.cli
import pytest

PROGRAMS = {
    module.PROGRAM.name: module.PROGRAM
    for module in (depth_runtime.cli, depth_replay.cli, depth_training.cli, depth_export.cli)
}
SOURCES = ("README.md", "Makefile", "CONTRIBUTING.md", "samples/*.md", "docs/**/*.md", "models/**/*.md")
SOURCES += ("training/configs/**/*.toml", "training/*.sh", ".github/**/*.yml", "docs/examples/*.py")
CALL = re.compile(r"\b(depth_(?:runtime|replay|training|export)) ([a-z]+(?:-[a-z]+)*)\b([^`]*)")
# Of what a reader or a script fills in, and of what a sentence mentions, only the names of options are known.
PLACEHOLDER = re.compile(r"\.\.\.|[\[\]|$()]|^\W*$")


def logical_lines(text: str) -> Iterator[str]:
    """Lines with those that a backslash continues, as one; comment signs of recipes left out."""
    yield from re.sub(r"\\\n#?", " ", text).splitlines()


def documented(repository: Path) -> list[tuple[str, str, str, str]]:
    """(file, program, command, words after it) of every command line."""
    found = []
    for pattern in SOURCES:
        for path in sorted(repository.glob(pattern)):
            for line in logical_lines(path.read_text(encoding="utf-8")):
                for call in CALL.finditer(line):
                    program, command, rest = call.groups()
                    before = line[: call.start()]
                    # A sentence may go on after a program's name; what is run, or set in backticks, is a command.
                    if command in PROGRAMS[program].commands or before.endswith(("python -m ", "`")):
                        in_a_sentence = before.count("`") % 2 == 1 or before.endswith("'python -m ")
                        words = rest + " ..." if in_a_sentence else rest
                        found.append((str(path.relative_to(repository)), program, command, words))
    return found


ALL = documented(Path(__file__).resolve().parents[1])


def test_the_documents_show_most_commands_and_no_others():
    shown = {(program, command) for _, program, command, _ in ALL}
    every = {(name, command) for name, program in PROGRAMS.items() for command in program.commands}
    assert sorted(shown - every) == []
    assert len(shown) > 0.7 * len({command for _, command in every})


@pytest.mark.parametrize(("file", "program", "command", "rest"), ALL)
def test_a_documented_command_is_understood(file, program, command, rest, capsys):
    if command in ("play", "record", "demo"):
        pytest.importorskip("rclpy", reason="rclpy is not installed")
    parser = PROGRAMS[program].parser_of(command)
    rest = rest.split(" # ")[0].split("   #")[0].split("; ")[0].strip()
    named = set(re.findall(r"(?:^|\s)(--[a-z][a-z0-9-]*)", rest))
    assert named <= set(parser._option_string_actions), f"{file}: {rest}"
    if not PLACEHOLDER.search(rest):
        try:
            parser.parse_args(shlex.split(rest))
        except SystemExit:
            pytest.fail(f"{file}: {program} {command} {rest}\n{capsys.readouterr().err}")
