# SPDX-License-Identifier: Apache-2.0
"""A session is over before the next one starts, however long its frame takes (a backend that takes its time)."""

import signal
from pathlib import Path

import numpy as np
import pytest
from lifecycle_msgs.msg import Transition
from stereo_messages import CX_LEFT, CX_RIGHT, HEIGHT, WIDTH, scene

SLOW_NODE = str(Path(__file__).parents[1] / "support" / "slow_node.py")
ROUNDS = 20
LONG_S, SHORT_S = 3.0, 0.3
FOR_EVER = "inf"


class Pace:
    """How long inferences take, and which there were."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "journal").touch()
        self.hold(0)

    def hold(self, seconds) -> None:
        fresh = self.folder / "hold.new"
        fresh.write_text(str(seconds))
        fresh.replace(self.folder / "hold")

    def entered(self) -> int:
        return sum(line.startswith("enter") for line in self._lines())

    def left(self) -> int:
        return sum(line.startswith("leave") for line in self._lines())

    def most_at_once(self) -> int:
        return max(int(line.split()[1]) for line in self._lines())

    def _lines(self) -> list[str]:
        return (self.folder / "journal").read_text().splitlines()


@pytest.fixture
def slow(start, tmp_path):
    """Node process, rig and pace of a node that is quick so far."""
    pace = Pace(tmp_path)
    process, rig = start(program=(SLOW_NODE, str(tmp_path)))
    return process, rig, pace


def send_level(rig, level):
    """A pair whose disparity is level / 2 everywhere, before the shift."""
    left, right = scene()
    left[..., 0] = level
    return rig.send_scene(left, right)


def send_into_work(rig, pace, level):
    """Send a pair and wait until its inference has begun."""
    before = pace.entered()
    stamp_s = send_level(rig, level)
    rig.wait(lambda: pace.entered() > before, "the inference to begin")
    return stamp_s


def level_of(message):
    disparity = np.frombuffer(bytes(message.image.data), np.float32).reshape(HEIGHT, WIDTH)
    assert np.ptp(disparity) == 0
    return (disparity[0, 0] + CX_LEFT - CX_RIGHT) * 2


@pytest.mark.slow
def test_deactivate_and_activate_amid_slow_frames_never_runs_two_inferences_at_once(slow):
    _, rig, pace = slow
    warm, sent = len(rig.received["disparity"]), {}
    for i in range(ROUNDS):
        pace.hold(LONG_S if i % 5 == 0 else SHORT_S)
        dropped = send_into_work(rig, pace, level=10 + 2 * i)
        assert rig.control.transition(Transition.TRANSITION_DEACTIVATE)
        assert pace.left() == pace.entered()  # the thread is out once deactivate has answered
        assert rig.control.transition(Transition.TRANSITION_ACTIVATE)
        rig.wait_for_node()
        pace.hold(0)
        stamp_s = send_level(rig, level=110 + 2 * i)
        sent[stamp_s] = 110 + 2 * i
        rig.message_of("disparity", stamp_s)
        assert not rig.answered("disparity", dropped)
    assert pace.most_at_once() == 1
    assert len(rig.received["disparity"]) - warm == ROUNDS
    for stamp_s, level in sent.items():
        assert level_of(rig.message_of("disparity", stamp_s)) == pytest.approx(level, abs=1e-3)
    rig.wait(lambda: rig.status.get("dropped: deactivated") == str(ROUNDS), "the frames to be counted as dropped")


def test_a_frame_that_does_not_come_back_is_an_error_within_seconds(slow):
    process, rig, pace = slow
    pace.hold(FOR_EVER)
    stuck = send_into_work(rig, pace, level=50)
    rig.wait(lambda: "a frame is in work for" in rig.status_message, "the hanging frame in diagnostics")
    assert rig.status_level == b"\2"
    rig.wait(lambda: "has not come back: the network hangs" in process.log, "the hanging frame in the log")
    pace.hold(0)
    rig.message_of("disparity", stuck)
    rig.wait(lambda: "a frame is in work" not in rig.status_message, "the error to go away")


@pytest.mark.slow
def test_while_a_frame_does_not_come_back_activation_is_refused_and_a_new_network_helps(slow):
    """The wait for the frame ends at its limit (30 s)."""
    _, rig, pace = slow
    pace.hold(FOR_EVER)
    lost = send_into_work(rig, pace, level=50)
    deactivation = rig.control.begin(Transition.TRANSITION_DEACTIVATE)
    rig.wait(lambda: rig.status.get("state") == "deactivating", "diagnostics while the node waits for the frame")
    assert rig.control.finish(deactivation)
    assert rig.control.state() == "inactive"
    assert not rig.control.transition(Transition.TRANSITION_ACTIVATE)
    assert rig.control.state() == "inactive"
    rig.wait(lambda: "could not activate: a frame of the last activation" in rig.status_message, "the reason")
    assert rig.status_level == b"\2"
    assert pace.entered() - pace.left() == 1

    assert rig.control.transition(Transition.TRANSITION_CLEANUP)
    assert rig.control.transition(Transition.TRANSITION_CONFIGURE)
    assert rig.control.transition(Transition.TRANSITION_ACTIVATE)
    pace.hold(0)
    rig.wait(lambda: pace.entered() == pace.left(), "the frame to come back at last")
    rig.warm_up()
    assert not rig.answered("disparity", lost)
    assert pace.most_at_once() == 1
    rig.wait(lambda: rig.status_level == b"\0", "all to be well")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("deactivating", [False, True])
def test_a_signal_amid_a_frame_that_never_ends_is_exit_code_0(slow, number, deactivating):
    process, rig, pace = slow
    pace.hold(FOR_EVER)
    send_into_work(rig, pace, level=50)
    if deactivating:
        rig.control.begin(Transition.TRANSITION_DEACTIVATE)
        rig.wait(lambda: rig.status.get("state") == "deactivating", "the node to wait for the frame")
    code, _ = process.interrupt(number)
    assert code == 0
    assert "Traceback" not in process.log


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_amid_the_inference_of_a_real_network_is_exit_code_0(start, number):
    """The library's own threads are at work then; the interpreter's end must not meet them."""
    process, rig = start(connected=False, parameters={"model": "stereo_s", "threads": 1})
    left, right = scene((720, 1280))
    rig.wait_for_node()

    def in_work():
        rig.send_scene(left, right)
        return rig.happens(lambda: float(rig.status.get("frame in work s", 0)) > 0, 1.0)

    rig.wait(in_work, "a frame in work")
    rig.send_scene(left, right)
    code, _ = process.interrupt(number)
    assert code == 0, process.log
    assert "Traceback" not in process.log
