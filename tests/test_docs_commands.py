# SPDX-License-Identifier: Apache-2.0
"""Commands that the documents show exist and have the options that are shown."""

import re
import runpy
import sys
from contextlib import redirect_stdout
from functools import cache
from io import StringIO

import pytest
from make_tables import ROOT, pages

PROGRAMS = "depth_training|depth_export|depth_replay|depth_runtime"
COMMAND = re.compile(rf"^(?:[A-Z]+=\S+ )*(?:torchrun .*?-m |python -m )?({PROGRAMS}) ([a-z-]+)\b(.*)$", re.MULTILINE)
BLOCK = re.compile(r"^```\w*\n(?:.*\n)*?```$|(?:^    .*\n)+", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


def shown_commands() -> dict[tuple[str, str], set[str]]:
    """(program, command): every option shown with it in a code block of README.md, docs/ or a model card."""
    shown: dict[tuple[str, str], set[str]] = {}
    for page in [*pages(), *ROOT.glob("models/zoo/*/README.md")]:
        for block in BLOCK.findall(page.read_text()):
            joined = re.sub(r"\\\n\s*", " ", block)
            lines = re.sub(r"(?m)(?<!\S)#.*$|^ +", "", joined)
            for program, command, rest in COMMAND.findall(lines):
                shown.setdefault((program, command), set()).update(OPTION.findall(re.split(r" && | ; ", rest)[0]))
    return shown


@cache
def help_text(program: str, command: str) -> str:
    """What `python -m PROGRAM COMMAND --help` prints, or an empty text where it does not end with exit code 0."""
    out, argv = StringIO(), sys.argv
    sys.argv = [program, command, "--help"]
    try:
        with redirect_stdout(out), pytest.raises(SystemExit) as end:
            runpy.run_module(program, run_name="__main__")
    finally:
        sys.argv = argv
    return out.getvalue() if end.value.code in (0, None) else ""


def test_commands_are_found_in_the_documents():
    shown = shown_commands()
    assert {"--config", "--set", "--out"} <= shown["depth_training", "train"]
    assert {"--hz", "--wait-for-subscribers"} <= shown["depth_replay", "play"]
    assert len(shown) > 20


@pytest.mark.parametrize(("program", "command"), sorted(shown_commands()))
def test_a_shown_command_has_the_options_that_are_shown(program, command):
    known = set(OPTION.findall(help_text(program, command)))
    assert known, f"{program} has no command {command}"
    unknown = shown_commands()[program, command] - known
    assert not unknown, f"{program} {command} has no {sorted(unknown)}"
