# SPDX-License-Identifier: Apache-2.0
"""Averaged weights: what is evaluated and exported."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn


class Ema:
    """Exponential moving average of a network's floating-point tensors, batch statistics included.

    average <- average + (1 - d) (current - average), d = min(decay, (1 + step) / (10 + step)): young averages forget
    the random start quickly. Counters are copied.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network, self.decay = deepcopy(network).eval().requires_grad_(False), decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights of `network` after optimiser step number `step` (from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        own, other = self.network.state_dict(), network.state_dict()
        floats = [name for name, value in own.items() if value.is_floating_point()]
        torch._foreach_lerp_([own[name] for name in floats], [other[name] for name in floats], 1 - decay)
        for name in own.keys() - set(floats):
            own[name].copy_(other[name])

    def state(self) -> dict[str, Tensor]:
        """The averaged tensors by name."""
        return self.network.state_dict()
