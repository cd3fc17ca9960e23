# SPDX-License-Identifier: Apache-2.0
"""Learning rate over a run."""

from __future__ import annotations

import math

START = 0.05  # fraction of the peak at the first step


def one_cycle(progress: float, warm_up: float = 0.05, final: float = 0.01) -> float:
    """Fraction of the peak learning rate at progress 0..1: linear warm-up, then half a cosine down to `final`."""
    if progress < warm_up:
        return START + (1 - START) * progress / warm_up
    falling = 0.5 * (1 + math.cos(math.pi * (progress - warm_up) / (1 - warm_up)))
    return final + (1 - final) * falling
