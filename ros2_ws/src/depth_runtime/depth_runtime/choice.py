# SPDX-License-Identifier: Apache-2.0
"""The most accurate network of the zoo that keeps a wanted rate on this machine, by a short timed trial."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .backends import Backend, make_backend
from .bench import texture
from .plan import Size
from .zoo import resolve_model

# From the most to the least accurate (D1 on 42 real pairs, docs/results/accuracy.md, "Two sizes, three precisions").
# Integer files are slower than FP32 on GPUs.
ON_A_CPU = ("stereo_s", "stereo_s_int8", "stereo_xs", "stereo_xs_int8")
ON_A_GPU = ("stereo_s", "stereo_xs")
# A network that needs its whole period keeps no rate: messages, maps and other processes want the same cores.
HEADROOM = 1.4
ROUNDS = 5


@dataclass(frozen=True)
class Trial:
    """What one network took on this machine: the median of some runs, in milliseconds."""

    model: str
    device: str
    milliseconds: float

    @property
    def rate_hz(self) -> float:
        """The rate that the network keeps beside the rest of the work."""
        return 1000 / (HEADROOM * self.milliseconds)


def try_networks(
    backend: str = "auto",
    threads: int = 0,
    size: Size | None = None,
    rounds: int = ROUNDS,
    make: Callable[..., Backend] = make_backend,
) -> list[Trial]:
    """Trials of the zoo's stereo networks, from the most accurate to the least.

    backend and threads: as in `make_backend`; size: (height, width) of the network's input, None = its own.
    """
    on_a_cpu = make(resolve_model(ON_A_CPU[0]), backend, threads).name == "onnxruntime-cpu"
    return [try_network(model, backend, threads, size, rounds, make) for model in (ON_A_CPU if on_a_cpu else ON_A_GPU)]


def try_network(
    model: str,
    backend: str = "auto",
    threads: int = 0,
    size: Size | None = None,
    rounds: int = ROUNDS,
    make: Callable[..., Backend] = make_backend,
) -> Trial:
    """Trial of one network, a zoo name or file; see `try_networks`. All its outputs are computed."""
    loaded = make(resolve_model(model), backend, threads)
    height, width = size or loaded.spec.default_size
    for image in loaded.prepare((height, width)).values():
        image[0] = texture(height, width)
    outputs = list(loaded.spec.outputs)
    loaded.infer(outputs)  # the first one also plans memory
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        loaded.infer(outputs)
        times.append((time.perf_counter() - start) * 1e3)
    return Trial(model, loaded.device, float(np.median(times)))


def choose(trials: Sequence[Trial], wanted_rate_hz: float) -> Trial:
    """The most accurate network that keeps the rate; the fastest where none does.

    trials: from the most accurate to the least. Raises ValueError without any.
    """
    if not trials:
        raise ValueError("expected trials of at least one network, got none")
    keeping = [trial for trial in trials if trial.rate_hz >= wanted_rate_hz]
    return keeping[0] if keeping else max(trials, key=lambda trial: trial.rate_hz)
