# SPDX-License-Identifier: Apache-2.0
"""The choice of a network by what this machine does in the time."""

import numpy as np
import pytest
from depth_runtime import choice
from depth_runtime.choice import ON_A_CPU, ON_A_GPU, Trial, choose, try_networks
from depth_runtime.onnx_file import read_spec
from depth_runtime.zoo import resolve_model

MILLISECONDS = {"stereo_s": 120.0, "stereo_s_int8": 70.0, "stereo_xs": 55.0, "stereo_xs_int8": 40.0}
TRIALS = [Trial(name, "a CPU", ms) for name, ms in MILLISECONDS.items()]


class Clock:
    now_s = 0.0

    def perf_counter(self):
        return self.now_s


class FakeBackend:
    """Takes what MILLISECONDS says, and much longer for its first run."""

    def __init__(self, clock, path, name):
        self.clock, self.name, self.device = clock, name, "a device"
        self.spec, self.size = read_spec(path), None
        self.ms = iter([1000.0, *[MILLISECONDS[path.stem]] * 100])

    def prepare(self, size):
        self.size = size
        return {name: np.zeros((1, *size, 3), np.uint8) for name in self.spec.inputs}

    def infer(self, outputs):
        assert set(outputs) == set(self.spec.outputs)
        self.clock.now_s += next(self.ms) / 1e3


@pytest.fixture
def machine(monkeypatch):
    """machine(kind) -> function that makes backends of that kind on a clock of their own, and what it made."""
    clock, made = Clock(), []
    monkeypatch.setattr(choice, "time", clock)

    def of(kind):
        def make(path, backend, threads):
            made.append(FakeBackend(clock, path, kind))
            return made[-1]

        return make, made

    return of


@pytest.mark.parametrize(
    ("wanted_hz", "expected"),
    [(5, "stereo_s"), (10, "stereo_s_int8"), (12.9, "stereo_xs"), (17.8, "stereo_xs_int8"), (100, "stereo_xs_int8")],
)
def test_the_most_accurate_that_keeps_the_rate_is_taken_else_the_fastest(wanted_hz, expected):
    assert choose(TRIALS, wanted_hz).model == expected


def test_a_network_that_needs_the_whole_period_does_not_keep_the_rate():
    assert Trial("x", "", 100.0).rate_hz == pytest.approx(1000 / 140)
    with pytest.raises(ValueError, match="at least one network"):
        choose([], 5)


def test_a_cpu_tries_integer_files_too_and_each_at_the_size_of_the_images(machine):
    make, made = machine("onnxruntime-cpu")
    trials = try_networks(size=(96, 160), make=make)
    assert [(t.model, t.device, round(t.milliseconds, 6)) for t in trials] == [
        (name, "a device", ms) for name, ms in MILLISECONDS.items()
    ]
    assert {backend.size for backend in made[1:]} == {(96, 160)}


def test_a_gpu_tries_floating_point_files_only(machine):
    make, _ = machine("onnxruntime-cuda")
    assert [trial.model for trial in try_networks(make=make)] == list(ON_A_GPU)


def test_every_network_that_may_be_chosen_is_a_stereo_network_of_the_zoo():
    for name in {*ON_A_CPU, *ON_A_GPU}:
        assert read_spec(resolve_model(name)).inputs == ("left", "right")
