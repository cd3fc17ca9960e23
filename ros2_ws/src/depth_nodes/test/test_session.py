# SPDX-License-Identifier: Apache-2.0
"""What becomes of a frame that is in work when its session is closed; without ROS or a network."""

import threading
from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy")

from depth_nodes.session import Job, Session
from depth_nodes.statistics import Statistics

TIMEOUT_S = 60.0


class Outputs:
    """Takes the place of OutputPublishers; remembers what was published."""

    def __init__(self):
        self.published = []

    def wanted(self, _settings):
        return ["disparity"]

    def maps_for(self, _wanted):
        return set()

    def publish(self, maps, _wanted):
        self.published.append(maps.frame)


class FakeSession(Session[str]):
    """Works on a frame until it is let go on; fails to subscribe if told to."""

    def __init__(self, node, outputs, subscribes=True):
        super().__init__(node, SimpleNamespace(outputs=outputs))
        self.entered, self.release = threading.Event(), threading.Event()
        self.subscribes, self.subscribed = subscribes, 0

    def silence(self):
        return ""

    def counts(self):
        return {}

    def _subscribe(self):
        self.subscribed += 1
        if not self.subscribes:
            raise RuntimeError("no such QoS")

    def _unsubscribe(self):
        self.subscribed = 0

    def _predict(self, job, maps, settings, timer):
        self.entered.set()
        assert self.release.wait(TIMEOUT_S)
        return SimpleNamespace(frame=job.messages, valid_ratio=1.0)


@pytest.fixture
def node():
    return SimpleNamespace(
        settings=SimpleNamespace(max_age_s=0.0),
        monitor=SimpleNamespace(statistics=Statistics(), problem=lambda cause, text: pytest.fail(text)),
        times=SimpleNamespace(publish=lambda *times: None),
        context=SimpleNamespace(ok=lambda: True),
        age_ms=lambda stamp_ns: 0.0,
    )


@pytest.fixture
def outputs():
    return Outputs()


@pytest.fixture
def session(node, outputs):
    session = FakeSession(node, outputs)
    session.start()
    yield session
    session.release.set()
    assert session.close(TIMEOUT_S, lambda: None)


def into_work(session, frame):
    session.hand_in(Job(1, 0.0, frame))
    assert session.entered.wait(TIMEOUT_S)


def test_close_waits_for_the_frame_and_drops_it(session, node, outputs):
    into_work(session, "first")
    waits = []

    def meanwhile():
        waits.append(session.is_out())
        session.release.set()

    assert session.close(TIMEOUT_S, meanwhile)
    assert waits[0] is False
    assert session.is_out()
    assert session.subscribed == 0
    assert outputs.published == []
    assert node.monitor.statistics.snapshot().dropped == {"deactivated": 1}


def test_close_gives_up_at_its_limit_and_the_frame_is_dropped_all_the_same(session, outputs):
    into_work(session, "first")
    assert not session.close(0.0, lambda: None)
    assert not session.is_out()
    assert session.busy_s() > 0
    session.release.set()
    assert session.close(TIMEOUT_S, lambda: None)
    assert session.is_out()
    assert outputs.published == []


def test_close_does_not_wait_when_a_signal_has_taken_the_context(session, node):
    into_work(session, "first")
    node.context.ok = lambda: False
    assert not session.close(TIMEOUT_S, lambda: pytest.fail("nothing is to be done meanwhile"))


def test_a_frame_of_an_open_session_is_published_and_a_waiting_one_superseded(session, node, outputs):
    published = threading.Event()
    node.times.publish = lambda *times: published.set()
    into_work(session, "first")
    session.hand_in(Job(2, 0.0, "second"))
    session.hand_in(Job(3, 0.0, "third"))
    session.release.set()
    assert published.wait(TIMEOUT_S)
    assert outputs.published[0] == "first"
    assert node.monitor.statistics.snapshot().dropped == {"superseded": 1}


def test_a_start_that_fails_leaves_neither_subscriptions_nor_a_thread(node, outputs):
    session = FakeSession(node, outputs, subscribes=False)
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="no such QoS"):
        session.start()
    assert session.subscribed == 0
    assert threading.active_count() == before
