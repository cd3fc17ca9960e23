# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests that run the stereo node in a process of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

rclpy = pytest.importorskip("rclpy", reason="rclpy is not installed")
pytest.importorskip("onnx", reason="the probe network is written with onnx")

from depth_export.probe import write_probe  # noqa: E402
from stereo_rig import NodeProcess, Rig  # noqa: E402


@pytest.fixture(scope="session")
def ros_context(repository) -> Iterator[object]:
    """Context of the rigs, under the packaged DDS profile: without it best-effort images of this size get lost."""
    for variable in ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE"):
        os.environ[variable] = str(repository / "launch" / "config" / "fastdds.xml")
    context = rclpy.Context()
    rclpy.init(context=context)
    yield context
    rclpy.shutdown(context=context)


@pytest.fixture(scope="session")
def probe_path(tmp_path_factory) -> str:
    return str(write_probe(tmp_path_factory.mktemp("models") / "probe.onnx"))


@pytest.fixture
def start(tmp_path_factory, ros_context, probe_path) -> Iterator[Callable]:
    """start(listen=..., parameters=...) -> (node process, rig), each in a namespace of its own, until the test ends."""
    yield from _starter(tmp_path_factory, ros_context, probe_path)


@pytest.fixture(scope="module")
def start_for_module(tmp_path_factory, ros_context, probe_path) -> Iterator[Callable]:
    """The same for nodes that all tests of a module share."""
    yield from _starter(tmp_path_factory, ros_context, probe_path)


def _starter(tmp_path_factory, ros_context, probe_path) -> Iterator[Callable]:
    started = []

    def make(
        listen: tuple[str, ...] = ("disparity",),
        parameters: dict | None = None,
        connected: bool = True,
        qos_overrides: dict[str, dict[str, str]] | None = None,
        **rig_options,
    ) -> tuple[NodeProcess, Rig]:
        namespace = f"/t{os.getpid()}_{len(started)}_{time.monotonic_ns()}"
        rig = Rig(ros_context, namespace, **rig_options)
        rig.listen(*listen)
        log = tmp_path_factory.mktemp("node") / "log.txt"
        parameters = {"model": probe_path} | (parameters or {})
        for topic, policies in (qos_overrides or {}).items():
            parameters |= {f"qos_overrides.{namespace}/{topic}.{key}": value for key, value in policies.items()}
        node = NodeProcess(log, parameters, ("-r", f"__ns:={namespace}"))
        started.append((node, rig))
        if connected:
            rig.warm_up()
        return node, rig

    yield make
    for node, rig in started:
        node.stop()
        rig.close()
