# SPDX-License-Identifier: Apache-2.0
"""The container's healthcheck: what counts as well, and its exit code beside a real node."""

import importlib.util
import os
import subprocess
import sys

import pytest
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

SILENT = "no stereo pair for 2 s: left/image_rect never came"


@pytest.fixture(scope="module")
def script(repository):
    return repository / "docker/healthcheck.py"


@pytest.fixture(scope="module")
def is_well(script):
    spec = importlib.util.spec_from_file_location("healthcheck", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.is_well


@pytest.mark.parametrize(
    ("level", "message", "silence", "well"),
    [
        (DiagnosticStatus.OK, "15.0 Hz on tensorrt", "", True),
        (DiagnosticStatus.WARN, "the node is inactive", "", True),
        (DiagnosticStatus.ERROR, SILENT, SILENT, True),
        (DiagnosticStatus.ERROR, "could not configure: no file at /x.onnx", "", False),
        (DiagnosticStatus.ERROR, "a frame is in work for 9 s", SILENT, False),
        (DiagnosticStatus.ERROR, "", "", False),
        (DiagnosticStatus.STALE, SILENT, SILENT, False),
    ],
)
def test_what_is_well(is_well, level, message, silence, well):
    values = [KeyValue(key="silence", value=silence)]
    assert is_well(DiagnosticStatus(level=level, message=message, values=values)) is well


def check(script, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and last line of the script."""
    command = [sys.executable, str(script), *arguments]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, (done.stdout.splitlines() or [done.stderr])[-1]


def test_a_real_node_is_well_with_input_and_without(start, script):
    _, rig = start()
    namespace = rig.node.get_namespace()
    rig.wait(lambda: "no stereo pair" in rig.status_message, "the silence")
    code, words = check(script, "--seconds", "30", DEPTH_NAMESPACE=namespace)
    assert (code, words.startswith("no stereo pair")) == (0, True), words


def test_a_node_without_a_network_is_not_well(start, script, tmp_path):
    _, rig = start(connected=False, parameters={"model": str(tmp_path / "missing.onnx")})
    rig.wait(lambda: rig.status_level == DiagnosticStatus.ERROR, "the error")
    code, words = check(script, "--node", f"{rig.node.get_namespace()}/stereo_node", "--seconds", "8")
    assert code == 1
    assert "no file at" in words


def test_a_node_that_is_not_there_is_not_well(script, ros_context):
    code, words = check(script, "--node", "/nowhere/stereo_node", "--seconds", "1")
    assert code == 1
    assert "no diagnostics of /nowhere/stereo_node in 1 s" in words
