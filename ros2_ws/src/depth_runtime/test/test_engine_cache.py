# SPDX-License-Identifier: Apache-2.0
"""The engine cache gives back what was built for exactly this key, whole, or builds again."""

import json
import logging
import multiprocessing
import os
import signal
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from depth_runtime.backends.engine_cache import EngineCache, EngineKey

KEY = EngineKey(
    model="probe",
    onnx_sha256="ab" * 32,
    flavour="tensorrt",
    version="8.6.0",
    gpu="NVIDIA H200",
    capability="9.0",
    precision="fp16",
    shapes={"left": (1, 384, 640, 3), "right": (1, 384, 640, 3)},
    settings={"workspace_mib": 2048},
)
OTHER = {
    "onnx_sha256": "cd" * 32,
    "flavour": "tensorrt_rtx",
    "version": "10.3.0",
    "gpu": "NVIDIA H100",
    "capability": "8.6",
    "precision": "fp32",
    "shapes": {"left": (1, 384, 608, 3), "right": (1, 384, 608, 3)},
    "settings": {"workspace_mib": 512},
}


class Builder:
    """Gives another plan at every call, so that a stored one can be told from one just built."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> bytes:
        self.calls += 1
        return f"plan {self.calls}".encode() * 1000


@pytest.fixture
def stored(tmp_path):
    """Cache with one stored plan, and the builder that made it."""
    build = Builder()
    cache = EngineCache(tmp_path)
    assert cache.get_or_build(KEY, build) == b"plan 1" * 1000
    return cache, build


def test_a_stored_plan_is_given_to_later_processes(stored):
    cache, build = stored
    assert EngineCache(cache.folder).get_or_build(KEY, build) == b"plan 1" * 1000
    assert build.calls == 1


def test_the_description_beside_the_plan_can_be_read(stored):
    plan, description = stored[0].paths(KEY)
    assert plan.stat().st_size == 6000
    metadata = json.loads(description.read_text())
    assert metadata["key"]["gpu"] == "NVIDIA H200"
    assert metadata["key"]["shapes"]["right"] == [1, 384, 640, 3]
    assert metadata["plan_bytes"] == 6000
    assert plan.name.startswith("probe-640x384-tensorrt8.6.0-sm9.0-")


@pytest.mark.parametrize("name", OTHER)
def test_everything_that_an_engine_depends_on_makes_another_engine(stored, name):
    cache, build = stored
    assert cache.get_or_build(replace(KEY, **{name: OTHER[name]}), build) == b"plan 2" * 1000
    assert cache.get_or_build(KEY, build) == b"plan 1" * 1000


def truncate(plan: Path, description: Path) -> None:
    plan.write_bytes(plan.read_bytes()[:-1])


def swap_plan(plan: Path, description: Path) -> None:
    plan.write_bytes(b"else 1" * 1000)


def lose_plan(plan: Path, description: Path) -> None:
    plan.unlink()


def lose_description(plan: Path, description: Path) -> None:
    description.unlink()


def break_description(plan: Path, description: Path) -> None:
    description.write_text(description.read_text()[:-5])


def empty_description(plan: Path, description: Path) -> None:
    description.write_text("[]")


def describe_another_version(plan: Path, description: Path) -> None:
    description.write_text(description.read_text().replace("8.6.0", "8.6.1"))


def describe_another_network(plan: Path, description: Path) -> None:
    description.write_text(description.read_text().replace("abab", "abba"))


@pytest.mark.parametrize(
    "damage",
    [
        *(truncate, swap_plan, lose_plan, lose_description, break_description, empty_description),
        *(describe_another_version, describe_another_network),
    ],
)
def test_what_cannot_be_trusted_is_built_again_and_repaired(stored, damage):
    cache, build = stored
    damage(*cache.paths(KEY))
    assert cache.get_or_build(KEY, build) == b"plan 2" * 1000
    assert cache.get_or_build(KEY, build) == b"plan 2" * 1000
    assert build.calls == 2


def test_a_plan_that_the_library_refused_is_replaced(stored):
    cache, build = stored
    cache.discard(KEY)
    assert cache.get_or_build(KEY, build) == b"plan 2" * 1000
    assert cache.get_or_build(KEY, build) == b"plan 2" * 1000
    assert EngineCache(cache.folder).get_or_build(KEY, build) == b"plan 2" * 1000


def test_a_build_that_fails_leaves_no_plan(tmp_path):
    def fail() -> bytes:
        raise RuntimeError("no memory")

    cache = EngineCache(tmp_path)
    with pytest.raises(RuntimeError, match="no memory"):
        cache.get_or_build(KEY, fail)
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]
    assert cache.get_or_build(KEY, lambda: b"plan") == b"plan"


def ask(folder: Path, queue, seconds: float) -> None:
    """Process of its own: ask the cache; a build takes `seconds` and gives this process's number."""

    def build() -> bytes:
        (folder / f"building.{os.getpid()}").touch()
        time.sleep(seconds)
        return str(os.getpid()).encode()

    queue.put(EngineCache(folder).get_or_build(KEY, build))


def test_of_several_processes_one_builds_and_the_others_take_its_plan(tmp_path):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    processes = [context.Process(target=ask, args=(tmp_path, queue, 0.5)) for _ in range(3)]
    for process in processes:
        process.start()
    plans = {queue.get(timeout=300) for _ in processes}
    for process in processes:
        process.join(300)
    assert len(plans) == 1
    assert len(list(tmp_path.glob("building.*"))) == 1


def test_a_builder_that_is_killed_does_not_block_the_next(tmp_path):
    context = multiprocessing.get_context("fork")
    process = context.Process(target=ask, args=(tmp_path, context.Queue(), 600))
    process.start()
    while process.is_alive() and not list(tmp_path.glob("building.*")):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.join(300)
    assert EngineCache(tmp_path).get_or_build(KEY, lambda: b"mine") == b"mine"


@pytest.fixture
def readonly():
    """Makes a folder read-only for this process, root included, until the test ends."""
    changed = []

    def protect(folder: Path) -> None:
        folder.chmod(0o555)
        changed.append(folder)
        if os.geteuid() == 0:
            os.seteuid(65534)

    yield protect
    if os.getuid() == 0:
        os.seteuid(0)
    for folder in changed:
        folder.chmod(0o755)


@pytest.fixture
def open_folder():
    """A folder that any user may reach (pytest's own is the owner's alone)."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_a_read_only_folder_is_named_and_the_plan_built_in_memory(open_folder, readonly, caplog):
    readonly(open_folder)
    with caplog.at_level(logging.WARNING):
        assert EngineCache(open_folder).get_or_build(KEY, lambda: b"plan") == b"plan"
    assert f"cannot be stored in {open_folder}" in caplog.text
    assert "engine_cache_dir" in caplog.text
    assert list(open_folder.iterdir()) == []


def test_engines_of_a_read_only_folder_are_used(open_folder, readonly, caplog):
    EngineCache(open_folder).get_or_build(KEY, lambda: b"built before")
    readonly(open_folder)
    assert EngineCache(open_folder).get_or_build(KEY, lambda: b"plan") == b"built before"
    assert all(record.levelno < logging.WARNING for record in caplog.records)


def test_a_refused_plan_of_a_read_only_folder_is_not_given_again(open_folder, readonly):
    cache, build = EngineCache(open_folder), Builder()
    cache.get_or_build(KEY, build)
    readonly(open_folder)
    cache.discard(KEY)
    assert cache.get_or_build(KEY, build) == b"plan 2" * 1000


def test_a_folder_that_cannot_exist_is_named(tmp_path, caplog):
    (tmp_path / "file").touch()
    assert EngineCache(tmp_path / "file" / "cache").get_or_build(KEY, lambda: b"plan") == b"plan"
    assert "Not a directory" in caplog.text
