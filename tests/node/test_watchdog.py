# SPDX-License-Identifier: Apache-2.0
"""The node under a service manager's socket: READY, a WATCHDOG each second, none while a frame hangs."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from stereo_messages import scene

SLOW_NODE = Path(__file__).resolve().parents[1] / "support/slow_node.py"


class Manager:
    """What systemd hears, as (seconds, fields of a datagram)."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)

    def hear(self, timeout_s: float) -> dict[str, str]:
        """The next datagram; fails the test when none comes."""
        self._socket.settimeout(timeout_s)
        return dict(line.split("=", 1) for line in self._socket.recv(65536).decode().splitlines())

    def hear_until(self, wanted, what: str, timeout_s: float = 60.0) -> dict[str, str]:
        """The first datagram for which wanted holds."""
        deadline = time.monotonic() + timeout_s
        heard = {}
        while time.monotonic() < deadline:
            heard = self.hear(timeout_s)
            if wanted(heard):
                return heard
        pytest.fail(f"waited {timeout_s} s for {what}, last heard {heard}")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path, monkeypatch) -> Iterator[Manager]:
    manager = Manager(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    yield manager
    manager.close()


def test_a_node_without_input_is_ready_and_lives(start, manager):
    start(connected=False)
    first = manager.hear(60.0)
    assert first["READY"] == first["WATCHDOG"] == "1"
    silent = manager.hear_until(lambda heard: "no stereo pair" in heard["STATUS"], "the silence as status")
    assert silent["WATCHDOG"] == "1"
    assert "READY" not in silent


def test_a_node_whose_network_cannot_be_loaded_is_up_and_says_why(start, manager, tmp_path):
    """A restart would not mend the file, so it is no reason for one."""
    start(connected=False, parameters={"model": str(tmp_path / "missing.onnx")})
    heard = manager.hear(60.0)
    assert heard["READY"] == heard["WATCHDOG"] == "1"
    assert "no file at" in heard["STATUS"]


def test_a_frame_that_hangs_takes_the_watchdog_away_until_it_is_back(start, manager, tmp_path):
    hold = tmp_path / "hold"
    hold.write_text("0")
    node, rig = start(program=(str(SLOW_NODE), str(tmp_path)))
    hold.write_text("inf")
    rig.send_scene(*scene())
    hung = manager.hear_until(lambda heard: "WATCHDOG" not in heard, "a missing WATCHDOG")
    assert "has not come back" in hung["STATUS"]
    assert ["WATCHDOG" in manager.hear(60.0) for _ in range(3)] == [False] * 3
    hold.write_text("0")
    assert manager.hear_until(lambda heard: "WATCHDOG" in heard, "the WATCHDOG again")
    assert node.alive


def test_a_socket_that_is_gone_costs_a_warning_only(start, monkeypatch, tmp_path):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    node, rig = start()
    rig.wait(lambda: "systemd was not told that the node lives" in node.log, "a warning")
    rig.wait_for_status(3)
    assert node.log.count("systemd was not told") == 1
    assert node.alive
