# SPDX-License-Identifier: Apache-2.0
"""What systemd is told: by which numbers a node counts as alive, and the datagram itself."""

import socket
from dataclasses import replace

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")

from depth_nodes.diagnostics import STUCK_S, Health
from depth_nodes.statistics import Statistics
from depth_nodes.watchdog import Liveness, notify

AT_WORK = Health(
    state="active",
    failure="",
    busy_s=0.0,
    silence="",
    warnings=(),
    watched=True,
    backend=None,
    requested_backend="auto",
    model_path="",
    counts={},
)


@pytest.fixture
def statistics() -> Statistics:
    return Statistics()


def test_a_node_that_predicts_lives(statistics):
    liveness = Liveness()
    for _ in range(3):
        statistics.frame_answered({"inference": 5.0}, 1.0)
        statistics.drop("superseded")
        assert liveness.ask(AT_WORK, statistics.snapshot())


@pytest.mark.parametrize("cause", ["internal error", "superseded"])
def test_a_node_that_only_loses_frames_does_not(statistics, cause):
    """A CUDA context that was lost fails every frame; behind a worker that hangs they push each other out."""
    liveness = Liveness()
    statistics.frame_answered({"inference": 5.0}, 1.0)
    assert liveness.ask(AT_WORK, statistics.snapshot())
    statistics.drop(cause, "CUDA failed")
    assert [liveness.ask(AT_WORK, statistics.snapshot()) for _ in range(3)] == [False] * 3
    statistics.frame_answered({"inference": 5.0}, 1.0)
    assert liveness.ask(AT_WORK, statistics.snapshot())


@pytest.mark.parametrize(
    "excuse",
    [{"silence": "no stereo pair for 2 s"}, {"watched": False}, {"state": "inactive"}],
    ids=lambda excuse: next(iter(excuse)),
)
def test_what_is_not_asked_for_is_not_missed(statistics, excuse):
    liveness = Liveness()
    statistics.drop("internal error", "CUDA failed")
    assert not liveness.ask(AT_WORK, statistics.snapshot())
    assert liveness.ask(replace(AT_WORK, **excuse), statistics.snapshot())


def test_bad_messages_are_no_fault_of_the_node(statistics):
    liveness = Liveness()
    for _ in range(3):
        statistics.drop("calibration", "P is zero")
        statistics.drop("superseded")
        assert liveness.ask(AT_WORK, statistics.snapshot())


def test_a_frame_that_is_overdue_ends_it_whatever_else_holds(statistics):
    statistics.frame_answered({"inference": 5.0}, 1.0)
    assert not Liveness().ask(replace(AT_WORK, busy_s=STUCK_S, watched=False), statistics.snapshot())


@pytest.mark.parametrize("abstract", [False, True])
def test_the_datagram_reaches_the_socket(tmp_path, abstract):
    name = f"depth_stack_{tmp_path.name}"
    address = f"@{name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0{name}" if abstract else address)
        notify(address, "READY=1", "STATUS=14.9 Hz")
        assert receiver.recv(4096) == b"READY=1\nSTATUS=14.9 Hz"
    with pytest.raises(OSError, match=r"refused|No such file"):
        notify(address, "READY=1")
