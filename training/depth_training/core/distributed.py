# SPDX-License-Identifier: Apache-2.0
"""One process, or several of torchrun: NCCL between GPUs, gloo between CPU processes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

log = logging.getLogger(__name__)


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

    def tell(self, text: str, *values: object) -> None:
        """Log a line, as logging.info does, once for all processes."""
        if self.is_first:
            log.info(text, *values)

    def start_alike(self, network: nn.Module) -> None:
        """Give every process the first one's parameters and buffers."""
        self._copy_first([*network.parameters(), *network.buffers()])

    @torch.no_grad()
    def join_gradients(self, network: nn.Module) -> None:
        """Turn gradients into means over all processes, after each backward; batch statistics become the first one's.

        torch's DistributedDataParallel cannot do it: it expects every prediction of the network in every loss, and an
        objective may leave heads without gradient. A parameter with a gradient in some processes only counts as zero in
        the others.
        """
        if self.count == 1:
            return
        parameters = [p for p in network.parameters() if p.requires_grad]
        # On the CPU, so that no process waits for its GPU.
        used = torch.tensor([p.grad is not None for p in parameters], dtype=torch.uint8)
        dist.all_reduce(used, dist.ReduceOp.MAX)
        trained = [p for p, has_gradient in zip(parameters, used.tolist(), strict=True) if has_gradient]
        for p in trained:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        if trained:
            flat = torch.cat([p.grad.flatten() for p in trained])
            dist.all_reduce(flat)
            parts = (flat / self.count).split([p.numel() for p in trained])
            torch._foreach_copy_(
                [p.grad for p in trained], [x.view(p.shape) for x, p in zip(parts, trained, strict=True)]
            )
        self._copy_first(list(network.buffers()))

    @torch.no_grad()
    def _copy_first(self, tensors: list[Tensor]) -> None:
        """Overwrite tensors by the first process's, in one message."""
        floats = [t for t in tensors if t.is_floating_point()]
        if self.count == 1 or not floats:
            return
        flat = torch.cat([t.flatten() for t in floats])
        dist.broadcast(flat, 0)
        parts = flat.split([t.numel() for t in floats])
        torch._foreach_copy_(floats, [x.view(t.shape) for x, t in zip(parts, floats, strict=True)])

    def of_first(self, number: float) -> float:
        """The first process's number, so that all decide alike."""
        return self._agreed(number, lambda value: dist.broadcast(value, 0))

    def largest(self, number: float) -> float:
        """The largest number of all processes."""
        return self._agreed(number, lambda value: dist.all_reduce(value, dist.ReduceOp.MAX))

    def _agreed(self, number: float, agree: Callable[[Tensor], object]) -> float:
        if self.count == 1:
            return number
        value = torch.tensor(number, dtype=torch.float64)  # on the CPU: nobody waits for the GPU
        agree(value)
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
    dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo")
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
