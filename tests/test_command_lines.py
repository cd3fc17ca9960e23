# SPDX-License-Identifier: Apache-2.0
"""What every command of every program promises: help, version, exit codes, and one line for a user's mistake."""

import argparse
import importlib
import os
import re
from pathlib import Path

import depth_export.cli
import depth_replay.cli
import depth_runtime.cli
import depth_training.cli
import pytest
from depth_runtime.command_line import Command, Program

PROGRAMS = {
    program.name: program
    for program in (
        module.PROGRAM for module in (depth_runtime.cli, depth_replay.cli, depth_training.cli, depth_export.cli)
    )
}
COMMANDS = [(program, command) for program in PROGRAMS for command in PROGRAMS[program].commands]
ROS = {"play", "record", "demo"}

# Command lines that name something that is not there.
MISSING = {
    "bench": "--model {}.onnx",
    "build-engine": "--model {}.onnx --flavour tensorrt_rtx",
    "all": "--weights {}.pt --out out",
    "export": "--weights {}.pt --out out.onnx",
    "quantize": "--model stereo_xs --calibration {} --out out.onnx",
    "halve": "--model {}.onnx --out out.onnx",
    "train": "{}.toml --out out",
    "render": "--textures {}.npz --out out",
    "textures": "--packages {} --out out.npz",
    "pack-textures": "3:{} --out out.npz",
    "sample": "--frames 1 --size 64x64 --out a_file/{}",
    "sam-masks": "images --weights {}.pt --out out",
    "pseudo-labels": "plain={} --method sgbm --out out",
    "average": "{}.pt {}.pt --out out.pt",
    "predict": "{}.png {}.png --model stereo_xs --out out",
    "analyse-matching": "left.png right.png --weights {}.pt --out out.png",
    "evaluate": "{}.csv --method sgbm",
    "images-to-bag": "{} --out out",
    "play": "{}.mcap",
    "record": "--all --out a_file/{}/out.mcap",
    "score": "{}.mcap",
    "demo": "{}.mcap --out out",
}


@pytest.fixture
def words(tmp_path, monkeypatch):
    """A function: command line of a command in an empty folder, by a template of MISSING."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_file").touch()

    def fill(command: str) -> list[str]:
        if command in ROS:
            pytest.importorskip("rclpy", reason="rclpy is not installed")
        return [command, *MISSING[command].replace("{}", "nowhere").split()]

    return fill


def options_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if action.dest not in ("help", "debug", argparse.SUPPRESS)]


def parser_of(program: str, command: str) -> argparse.ArgumentParser:
    if command in ROS:
        pytest.importorskip("rclpy", reason="rclpy is not installed")
    return PROGRAMS[program].parser_of(command)


def test_every_command_is_tried_without_what_it_needs():
    assert set(MISSING) == {command for _, command in COMMANDS}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_lists_its_commands_and_tells_its_version(program, capsys):
    main = PROGRAMS[program].main
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert [name for name in PROGRAMS[program].commands if not re.search(rf"^    {name}\b", shown, re.MULTILINE)] == []
    assert main(["--version"]) == 0
    assert re.fullmatch(rf"{program} \d+\.\d+\.\d+\n", capsys.readouterr().out)
    assert (main([]), main(["fly"]), main(["--fly"])) == (2, 2, 2)
    assert "invalid choice: 'fly'" in capsys.readouterr().err


@pytest.mark.parametrize(("program", "command"), COMMANDS)
def test_help_explains_every_option_and_shows_its_default(program, command, capsys):
    parser = parser_of(program, command)
    assert PROGRAMS[program].main([command, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert PROGRAMS[program].main([command, "--version"]) == 0
    assert capsys.readouterr().out.startswith(f"{program} ")
    for action in options_of(parser):
        assert action.help, f"expected a help text for {action.dest}"
        if isinstance(action.default, (int, float, str, Path)) and not isinstance(action.default, bool):
            assert f"(default: {action.default})" in shown, action.dest


@pytest.mark.parametrize(("program", "command"), COMMANDS)
def test_options_follow_one_convention(program, command):
    for action in options_of(parser_of(program, command)):
        assert action.type is not Path, f"expected path_argument for {action.dest}, which expands ~"
        if action.option_strings:
            assert action.nargs not in ("+", "*"), f"expected {action.dest} to be repeated"
        assert not set(action.option_strings) & {"--width", "--height", "--checkpoint", "--network", "--output-dir"}


@pytest.mark.parametrize(("program", "command"), COMMANDS)
def test_a_wrong_command_line_is_code_2(program, command, words, capsys):
    line = words(command)
    assert PROGRAMS[program].main([*line, "--no-such-option"]) == 2
    assert capsys.readouterr().err.startswith(f"usage: {program} {command} ")


@pytest.mark.parametrize(("program", "command"), COMMANDS)
def test_what_is_not_there_is_one_line_that_names_it(program, command, words, capsys):
    assert PROGRAMS[program].main(words(command)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{program} {command}: ")
    assert "nowhere" in line


@pytest.mark.parametrize(("program", "command"), COMMANDS)
def test_ctrl_c_is_code_130_and_a_fault_keeps_its_traceback(program, command, words, capsys, monkeypatch):
    line = words(command)
    module = importlib.import_module(PROGRAMS[program].commands[command].module)

    def end(error: BaseException):
        def run(_arguments: argparse.Namespace) -> None:
            raise error

        monkeypatch.setattr(module, "run", run)
        return PROGRAMS[program].main(line)

    assert end(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == f"{program} {command}: stopped by Ctrl-C\n"
    for fault in (AssertionError("a"), TypeError("t"), RuntimeError("r"), KeyError("k")):
        with pytest.raises(type(fault)):
            end(fault)


def program_of(tmp_path, monkeypatch, body: str) -> Program:
    """A program with one command `go` whose run has this body."""
    lines = ["def configure(parser): parser.add_argument('--path')", "def run(arguments):", f"    {body}"]
    (tmp_path / "one_command.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(importlib.sys.modules, "one_command", raising=False)
    return Program("program", "depth_runtime", "", {"go": Command("one_command", "")})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import no_such_library.part", "expected the Python package 'no_such_library', got none; install it"),
        ("open('no.txt')", "expected no.txt, got none; check the path"),
        ("open('/')", "[Errno 21] Is a directory: '/'"),
        ("raise ValueError('expected a, got b')", "expected a, got b"),
    ],
)
def test_what_a_user_can_mend_is_told_in_one_line_and_debug_shows_where(tmp_path, monkeypatch, capsys, body, said):
    program = program_of(tmp_path, monkeypatch, body)
    assert program.main(["go"]) == 1
    assert capsys.readouterr().err == f"program go: {said}\n"
    for words in (["--debug", "go"], ["go", "--debug"]):
        assert program.main(words) == 1
        shown = capsys.readouterr().err
        assert shown.startswith("Traceback (most recent call last)")
        assert "one_command.py" in shown
        assert shown.endswith(f"program go: {said}\n")


def test_a_module_of_this_house_that_is_missing_is_a_fault(tmp_path, monkeypatch):
    with pytest.raises(ModuleNotFoundError):
        program_of(tmp_path, monkeypatch, "import depth_runtime.no_such_module").main(["go"])


def test_a_reader_that_went_away_is_no_news(tmp_path, monkeypatch, capfd):
    """As in `depth_training evaluate ... | head -1`."""
    read, write = os.pipe()
    os.close(read)
    program = program_of(tmp_path, monkeypatch, "print('a table')")
    with open(write, "w") as pipe, monkeypatch.context() as patch:
        patch.setattr("sys.stdout", pipe)
        assert program.main(["go"]) == 1
    assert capfd.readouterr().err == ""


def test_the_plot_of_evaluate_says_that_it_needs_matplotlib(monkeypatch, capsys):
    monkeypatch.setattr("depth_training.evaluation.distance_plot.find_spec", lambda _: None)
    assert depth_training.cli.main(["evaluate", "a.csv", "--method", "sgbm", "--plot", "a.png"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("expected matplotlib for the plot, got none; pip install 'depth-stack[plots]'")


@pytest.mark.parametrize(
    ("command", "file", "expected"),
    [
        ("evaluate data.csv --method zoo:stereo_m", "data.csv", "expected a zoo network among"),
        ("evaluate data.csv --method checkpoint:broken.pt", "data.csv", "broken.pt"),
        ("predict left.png right.png --model broken.pt --out out", "", "broken.pt"),
        ("render --textures broken.npz --out out", "", "broken.npz"),
        ("train broken.toml --out out", "", "expected TOML in broken.toml"),
        ("average broken.pt broken.pt --out out.pt", "", "broken.pt"),
    ],
)
def test_broken_files_and_unknown_names_are_one_line(tmp_path, monkeypatch, capsys, command, file, expected):
    monkeypatch.chdir(tmp_path)
    for name in ("broken.pt", "broken.npz", "broken.toml"):
        Path(name).write_text("neither [this nor that")
    for name in ("left.png", "right.png"):
        Path(name).touch()
    if file:
        Path(file).write_text("dataset,id,left,right,disparity\na,1,left.png,right.png,left.png\n")
    assert depth_training.cli.main(command.split()) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line


def test_broken_json_is_named(tmp_path, capsys, repository):
    (tmp_path / "m.json").write_text("{")
    weights = str(repository / "training/weights/stereo_xs.pt")
    words = ["export", "--weights", weights, "--metrics", str(tmp_path / "m.json"), "--out", str(tmp_path / "o")]
    assert depth_export.cli.main(words) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"expected JSON in {tmp_path}/m.json" in line


def test_home_is_expanded_where_the_shell_leaves_it_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    for words in (["plain=~/pairs", "--method", "sgbm"], ["~/pairs.csv", "--method", "sgbm"]):
        assert depth_training.cli.main(["evaluate", *words]) == 1
        assert f"{tmp_path}/pairs" in capsys.readouterr().err
