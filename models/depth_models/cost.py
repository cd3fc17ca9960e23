# SPDX-License-Identifier: Apache-2.0
"""What a network costs: multiply-accumulates and parameters."""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


class Cost(NamedTuple):
    """gmacs: 1e9 multiply-accumulates of convolutions and matrix products; parameters: trained numbers."""

    gmacs: float
    parameters: int


def count_cost(network: nn.Module, height: int, width: int, images: int | None = None) -> Cost:
    """Cost of one forward pass on `images` inputs [1, 3, height, width]; nothing is computed.

    images: None = one for each of the network's inputs.
    """
    count = len(network.inputs) if images is None else images
    shadow = deepcopy(network).to("meta").eval()
    views = [torch.zeros(1, 3, height, width, device="meta") for _ in range(count)]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        shadow(*views)
    return Cost(counter.get_total_flops() / 2e9, sum(p.numel() for p in network.parameters()))
