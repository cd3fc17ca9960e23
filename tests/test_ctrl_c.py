# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C in the middle of work, on real processes: code 130, no traceback, and nothing half done that is not said."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_network
from depth_runtime.files.sequence_folder import TrueFrame, write_frame
from depth_training.synthetic.pack import write_archive

PATIENCE_S = 120  # for what takes seconds on an idle machine


class Running:
    """A program as a process whose output goes to files."""

    def __init__(self, folder: Path, *words: object) -> None:
        self.out, self.err = folder / "stdout.txt", folder / "stderr.txt"
        support = str(Path(tiny_network.__file__).parent)
        path = os.pathsep.join(filter(None, (support, os.environ.get("PYTHONPATH"))))
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *map(str, words)],
                stdout=out,
                stderr=err,
                env=os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # as in a terminal, Ctrl-C reaches its children too
                # Whoever starts the tests in the background hands on an ignored SIGINT.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def wait_for(self, event: Callable[[], bool]) -> None:
        """Wait until something is so, while the process lives."""
        until = time.monotonic() + PATIENCE_S
        while not event():
            assert self.process.poll() is None, self.err.read_text()
            assert time.monotonic() < until, self.err.read_text()
            time.sleep(0.05)

    def interrupt(self) -> int:
        """Ctrl-C as a terminal sends it, to the whole group; the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(PATIENCE_S)

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def has(path: Path, text: str) -> Callable[[], bool]:
    """An event: the file is there and holds this."""
    return lambda: path.is_file() and text in path.read_text(errors="replace")


def children_of(running: Running) -> list[str]:
    """Process ids of its children."""
    main_thread = f"/proc/{running.process.pid}/task/{running.process.pid}"
    return Path(main_thread, "children").read_text().split()


def end(processes: list[str]) -> None:
    """Wait until these processes are gone."""
    until = time.monotonic() + PATIENCE_S
    while left := [process for process in processes if Path("/proc", process).exists()]:
        assert time.monotonic() < until, left
        time.sleep(0.05)


def ends_with_130(running: Running, program: str) -> None:
    code, said = running.interrupt(), running.err.read_text()
    assert code == 130, said
    assert "Traceback" not in said
    assert said.endswith(f"{program}: stopped by Ctrl-C\n")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Path:
    """200 pairs of noise with a truth."""
    folder = tmp_path_factory.mktemp("pairs")
    image = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    truth, zeros = np.full((16, 24), 4, np.float32), np.zeros((16, 24), np.uint16)
    for index in range(200):
        write_frame(folder, index, TrueFrame(image, image, truth, zeros.astype(np.uint8), zeros))
    return folder


@pytest.fixture(scope="module")
def sample(repository) -> Path:
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    return repository / "samples" / "stereo_sample.mcap"


def test_render(tmp_path):
    textures = np.random.default_rng(0).integers(0, 256, (2, 512, 512, 3), np.uint8)
    write_archive(tmp_path / "textures.npz", list(textures), ["photo", "photo"])
    options = ("--size", "64x64", "--count", 100_000, "--textures", tmp_path / "textures.npz", "--flying", 1)
    with Running(tmp_path, "depth_training", "render", "--out", tmp_path / "out", *options) as running:
        running.wait_for((tmp_path / "out" / "left" / "000000.png").is_file)
        ends_with_130(running, "depth_training render")


def test_sample_takes_its_workers_along(tmp_path):
    options = ("--frames", 1000, "--size", "96x64", "--processes", 2)
    with Running(tmp_path, "depth_training", "sample", "--out", tmp_path / "out", *options) as running:
        running.wait_for(has(running.err, "street:"))
        workers = children_of(running)
        assert len(workers) >= 2
        ends_with_130(running, "depth_training sample")
    end(workers)


def test_bench(tmp_path):
    options = ("--model", "stereo_xs", "--backend", "onnxruntime-cpu", "--size", "320x192", "--rounds", 1_000_000)
    with Running(tmp_path, "depth_runtime", "bench", *options) as running:
        running.wait_for(has(running.err, "1000000 rounds"))
        ends_with_130(running, "depth_runtime bench")


def test_evaluate(tmp_path, pairs):
    options = ("--method", "zoo:stereo_s", "--size", "640x384", "--pictures", tmp_path / "sheets")
    with Running(tmp_path, "depth_training", "evaluate", f"plain={pairs}", *options) as running:
        running.wait_for(lambda: any(tmp_path.glob("sheets/*.png")))
        ends_with_130(running, "depth_training evaluate")


def test_train_saves_first(tmp_path, pairs):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f"""
        network.name = "tiny"
        loss.objective = "tiny_truth"
        schedule = {{ steps = 1000000, minutes = 0.0 }}
        data = {{ dataset = "plain", root = "{pairs}", height = 16, width = 24, batch = 1, threads = 1 }}
        validation = {{ dataset = "plain", root = "{pairs}" }}
        log = {{ every_steps = 1, tensorboard = false }}
        """
    )
    out = tmp_path / "out"
    with Running(tmp_path, "tiny_network", "train", recipe, "--out", out) as running:
        running.wait_for(has(out / "log.jsonl", '"kind": "train"'))
        ends_with_130(running, "depth_training train")
    assert json.loads((out / "metrics.json").read_text())["steps"] > 0
    assert (out / "last.pt").is_file()


@pytest.mark.slow
def test_play_and_record(tmp_path, sample):
    """The recording is whole, and the player still tells what it sent."""
    folders = [tmp_path / name for name in ("play", "record")]
    for folder in folders:
        folder.mkdir()
    bag, topic = tmp_path / "out.mcap", "/left/camera_info"
    with (
        Running(folders[1], "depth_replay", "record", "--out", bag, "--topic", topic) as recorder,
        Running(folders[0], "depth_replay", "play", sample, "--loop", 0, "--topic", topic, "--hz", 50) as player,
    ):
        recorder.wait_for(has(recorder.err, f"recording {topic}"))
        loops = max(map(int, re.findall(r"play (\d+):", player.err.read_text())), default=0)
        player.wait_for(has(player.err, f"play {loops + 2}:"))  # a whole loop was recorded
        ends_with_130(recorder, "depth_replay record")
        ends_with_130(player, "depth_replay play")
    assert "sent " in player.out.read_text()
    assert f"{bag}: written" in recorder.out.read_text()


@pytest.mark.slow
def test_demo_takes_its_processes_along(tmp_path, sample):
    with Running(
        tmp_path, "depth_replay", "demo", sample, "--out", tmp_path / "out", "--model", "stereo_xs"
    ) as running:
        running.wait_for(has(running.out, "the stereo node is active"))
        children = children_of(running)
        assert children
        ends_with_130(running, "depth_replay demo")
    end(children)
