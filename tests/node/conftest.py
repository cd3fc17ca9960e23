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
from node_process import STEREO_NODE, NodeProcess  # noqa: E402
from stereo_rig import Rig, camera_topics  # noqa: E402

# Nothing that a test sends once gets lost on the way: the node asks for reliable images, and queues them.
LOSSLESS = {"reliability": "reliable", "depth": 20}


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
    """start(listen=..., parameters=...) -> (node process, rig), each in a namespace of its own, until the test ends.

    The node subscribes reliably, so that no message is lost; qos_overrides={} leaves it its own QoS. before(rig) is
    called before the node starts.
    """
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
        program: tuple[str, ...] = STEREO_NODE,
        compressed: bool = False,
        before: Callable[[Rig], None] = lambda rig: None,
        **rig_options,
    ) -> tuple[NodeProcess, Rig]:
        namespace = f"/t{os.getpid()}_{len(started)}_{time.monotonic_ns()}"
        rig = Rig(ros_context, namespace, compressed=compressed, **rig_options)
        rig.listen(*listen)
        before(rig)
        log = tmp_path_factory.mktemp("node") / "log.txt"
        defaults = {"model": probe_path, "image_transport": "compressed" if compressed else "raw"}
        parameters = defaults | (parameters or {})
        if qos_overrides is None:
            qos_overrides = {
                topic: {f"subscription.{policy}": value for policy, value in LOSSLESS.items()}
                for topic in camera_topics(compressed)
            }
        for topic, policies in qos_overrides.items():
            parameters |= {f"qos_overrides.{namespace}/{topic}.{key}": value for key, value in policies.items()}
        node = NodeProcess(log, parameters, ("-r", f"__ns:={namespace}"), program)
        started.append((node, rig))
        if connected:
            rig.warm_up()
        return node, rig

    yield make
    for node, rig in started:
        node.stop()
        rig.close()
