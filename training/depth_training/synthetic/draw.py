# SPDX-License-Identifier: Apache-2.0
"""Random numbers on one device from one generator, so that a seed fixes a whole world."""

from __future__ import annotations

import math

import torch


class Draw:
    """Random tensors from `generator`, or from torch's global one (torch.manual_seed) when it is None."""

    def __init__(self, device: torch.device | str = "cpu", generator: torch.Generator | None = None):
        self.device, self.generator = torch.device(device), generator

    @classmethod
    def seeded(cls, seed: int, device: torch.device | str = "cpu") -> Draw:
        """A source of its own on `device` that always starts with the same numbers."""
        return cls(device, torch.Generator(device).manual_seed(seed))

    def uniform(self, low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.rand(*shape, device=self.device, generator=self.generator) * (high - low) + low

    def log_uniform(self, low: float, high: float, *shape: int) -> torch.Tensor:
        return self.uniform(math.log(low), math.log(high), *shape).exp()

    def normal(self, *shape: int) -> torch.Tensor:
        return torch.randn(*shape, device=self.device, generator=self.generator)

    def chance(self, probability: float | torch.Tensor, *shape: int) -> torch.Tensor:
        """bool [*shape], True with the given probability (a tensor must broadcast to shape)."""
        return torch.rand(*shape, device=self.device, generator=self.generator) < probability

    def index(self, count: int, *shape: int) -> torch.Tensor:
        """Whole numbers 0..count-1 as float [*shape]."""
        return self.uniform(0, count, *shape).floor().clamp(max=count - 1)

    def sign(self, *shape: int) -> torch.Tensor:
        """-1 or +1 as float [*shape]."""
        return torch.where(self.chance(0.5, *shape), 1.0, -1.0)
