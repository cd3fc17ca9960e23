# SPDX-License-Identifier: Apache-2.0
import threading

import pytest
from depth_nodes.worker import LatestWorker, worker_is_alive

TIMEOUT_S = 60.0


class Gate:
    """Work that waits until it is let go on."""

    def __init__(self):
        self.entered, self.release = threading.Semaphore(0), threading.Semaphore(0)
        self.done = []

    def work(self, job):
        self.entered.release()
        assert self.release.acquire(timeout=TIMEOUT_S)
        if job == "bad":
            raise RuntimeError("bad job")
        self.done.append(job)

    def wait_until_entered(self):
        assert self.entered.acquire(timeout=TIMEOUT_S)


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def errors():
    return []


@pytest.fixture
def worker(gate, errors):
    worker = LatestWorker(gate.work, errors.append)
    worker.start()
    yield worker
    worker.stop()
    gate.release.release()
    assert worker.join(TIMEOUT_S)


def test_a_newer_job_replaces_one_that_waits(worker, gate):
    assert not worker.put(1)
    gate.wait_until_entered()
    assert not worker.put(2)
    assert worker.put(3)
    for _ in range(2):
        gate.release.release()
    gate.wait_until_entered()
    worker.stop()
    assert worker.join(TIMEOUT_S)
    assert gate.done == [1, 3]


def test_a_stopped_worker_finishes_the_job_in_hand_and_no_other(worker, gate):
    worker.put(1)
    gate.wait_until_entered()
    worker.put(2)
    worker.stop()
    assert not worker.join(0)
    assert worker_is_alive()
    gate.release.release()
    assert worker.join(TIMEOUT_S)
    assert gate.done == [1]
    assert not worker_is_alive()


def test_an_error_is_handed_on_and_the_thread_lives(worker, gate, errors):
    for job in ("bad", "good"):
        worker.put(job)
        gate.wait_until_entered()
        gate.release.release()
    worker.stop()
    assert worker.join(TIMEOUT_S)
    assert [str(error) for error in errors] == ["bad job"]
    assert gate.done == ["good"]


def test_busy_is_the_time_of_the_job_in_hand(worker, gate):
    assert worker.busy_s() == 0
    worker.put(1)
    gate.wait_until_entered()
    first = worker.busy_s()
    assert worker.busy_s() > first > 0
    gate.release.release()
    worker.stop()
    assert worker.join(TIMEOUT_S)
    assert worker.busy_s() == 0
