# SPDX-License-Identifier: Apache-2.0
"""One process, or several of torchrun: NCCL between GPUs, gloo between CPU processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Processes:
    """This process among `count`; each has one device."""

    rank: int
    count: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """True for the process that writes files and reports."""
        return self.rank == 0

    def replicate(self, network: nn.Module) -> nn.Module:
        """The network to call in training: gradients become means over all processes."""
        if self.count == 1:
            return network
        return DistributedDataParallel(network, device_ids=[self.device] if self.device.type == "cuda" else None)

    def of_first(self, number: float) -> float:
        """The first process's number, so that all decide alike."""
        if self.count == 1:
            return number
        value = torch.tensor(number, dtype=torch.float64, device=self.device)
        dist.broadcast(value, 0)
        return value.item()


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """The processes that torchrun started, or this one alone; leaves their group at the end."""
    on_gpu = torch.cuda.is_available()
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes(0, 1, torch.device("cuda" if on_gpu else "cpu"))
        return
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()


def mean_over_processes(value: Tensor) -> Tensor:
    """Mean of a tensor over all processes, without gradient; the tensor itself in a single process."""
    if not dist.is_initialized():
        return value
    total = value.detach().clone()
    dist.all_reduce(total)
    return total / dist.get_world_size()


def masked_mean(value: Tensor, mask: Tensor) -> Tensor:
    """Mean of finite `value` weighted by `mask` (float or bool, broadcast to its shape); 0 where all is masked.

    Divided by the weight that a process has on average, so that the mean of this over the processes, which is what
    their gradients add up to, is the mean over the whole batch however the mask is spread.
    """
    weight = mask.to(value.dtype).expand_as(value)
    return (value * weight).sum() / mean_over_processes(weight.sum()).clamp(min=1e-6)
