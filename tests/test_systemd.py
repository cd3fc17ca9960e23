# SPDX-License-Identifier: Apache-2.0
"""The unit of launch/systemd: what systemd's own tools say of it, and the node that its script becomes."""

import configparser
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

UNIT = "depth-stack@.service"
# sizeof(struct ucred): process, user and group of the sender, by the kernel's word.
CREDENTIALS = struct.Struct("3i")


@pytest.fixture(scope="module")
def folder(repository) -> Path:
    return repository / "launch/systemd"


@pytest.fixture(scope="module")
def unit(folder) -> dict[str, str]:
    """Keys of [Service] and [Unit], the last value of each."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes="#", delimiters="=")
    parser.optionxform = str
    parser.read_string((folder / UNIT).read_text())
    return dict(parser["Unit"]) | dict(parser["Service"])


def analyse(verb: str, path: Path, *options: str) -> subprocess.CompletedProcess:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    command = ["systemd-analyze", verb, *options, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_systemd_understands_every_line(folder, tmp_path):
    instance = shutil.copy(folder / UNIT, tmp_path / "depth-stack@front.service")
    done = analyse("verify", Path(instance), "--man=no")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_sees_a_line_that_it_does_not_understand(folder, tmp_path):
    path = tmp_path / "depth-stack@front.service"
    path.write_text((folder / UNIT).read_text().replace("WatchdogSec=30", "WatchdogSecs=30"))
    assert "WatchdogSecs" in analyse("verify", path, "--man=no").stderr


def test_systemd_understands_the_drop_in_with_its_engine(folder, tmp_path):
    """The lines that are commented out too: uncommented, all that is left is settings."""
    shutil.copy(folder / UNIT, tmp_path / "depth-stack@front.service")
    drop_in = tmp_path / "depth-stack@front.service.d/gpu.conf"
    drop_in.parent.mkdir()
    text = re.sub(r"^#(?=\w+=)", "", (folder / "gpu.conf").read_text(), flags=re.MULTILINE)
    assert "ExecStartPre=/bin/bash" in [line[:22] for line in text.splitlines()]
    drop_in.write_text(text)
    done = analyse("verify", tmp_path / "depth-stack@front.service", "--man=no")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_finds_the_exposure_small(folder, tmp_path):
    """1.5 of 10 by systemd 252; what is left is mostly the network and the shared memory that DDS needs."""
    instance = shutil.copy(folder / UNIT, tmp_path / "depth-stack@front.service")
    done = analyse("security", Path(instance), "--offline=true", "--threshold=20")
    assert done.returncode == 0, done.stdout[-2000:]


def test_the_watchdog_is_slower_than_the_nodes_own_patience(unit):
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    from depth_nodes.diagnostics import STUCK_S

    assert unit["Type"] == "notify"
    assert unit["NotifyAccess"] == "main"
    assert float(unit["WatchdogSec"]) >= 3 * STUCK_S
    assert unit["Restart"] == "on-failure"
    assert unit["RestartPreventExitStatus"] == "2"
    # A node that hangs is killed about every WatchdogSec, so a limit that it can reach in the interval.
    assert float(unit["StartLimitIntervalSec"]) > int(unit["StartLimitBurst"]) * float(unit["WatchdogSec"])


def test_the_environment_file_has_what_the_script_reads_and_no_more(folder):
    script = (folder / "depth-stack-node.sh").read_text()
    names = {line.split("=")[0] for line in (folder / "camera.env").read_text().splitlines() if re.match(r"\w+=", line)}
    read = {"PARAMS_FILE", "ROS_ARGUMENTS", "DEPTH_STACK_SETUP"}
    assert all(f"${{{name}:-" in script for name in read)
    assert names == read | {"ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE", "PYTHONPATH"}


@pytest.fixture
def manager(tmp_path):
    """A socket that hears what systemd would, with the sender's process."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(60.0)
        yield receiver


def test_the_script_becomes_the_node(folder, tmp_path, manager):
    """READY comes from the very process that was started, its arguments reach the node, and SIGTERM ends it with 0."""
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    pytest.importorskip("onnx", reason="the probe network is written with onnx")
    from depth_export.probe import write_probe

    model = write_probe(tmp_path / "probe.onnx")
    (tmp_path / "site.yaml").write_text(f"/**:\n  ros__parameters:\n    model: {model}\n")
    (tmp_path / "setup.bash").write_text("export SOURCED=$UNSET_VARIABLE\n")
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # the script's python3 is the tests'
        "NOTIFY_SOCKET": manager.getsockname(),
        "DEPTH_STACK_SETUP": str(tmp_path / "setup.bash"),
        "PARAMS_FILE": str(tmp_path / "site.yaml"),
        "ROS_ARGUMENTS": "-r left/image_rect:=/cam/left -p max_depth_m:=33.0",
    }
    node = subprocess.Popen(["bash", folder / "depth-stack-node.sh", "front"], env=environment)
    try:
        text, ancillary, _, _ = manager.recvmsg(4096, socket.CMSG_SPACE(CREDENTIALS.size))
        sender, _, _ = CREDENTIALS.unpack(ancillary[0][2])
        assert "READY=1" in text.decode().splitlines()
        assert sender == node.pid
        deadline = time.monotonic() + 60
        while "nobody publishes /cam/left, /front/right/image_rect" not in text.decode():
            assert time.monotonic() < deadline, text
            text = manager.recv(4096)
        node.send_signal(signal.SIGTERM)
        assert node.wait(60) == 0
    finally:
        node.kill()
        node.wait()


def test_the_script_says_what_it_needs(folder):
    done = subprocess.run(["bash", folder / "depth-stack-node.sh"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "expected the namespace of the camera" in done.stderr
