# SPDX-License-Identifier: Apache-2.0
"""From matching scores to disparity, and from coarse disparity to fine."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


def windowed_argmax(logits: Tensor, radius: int = 2) -> Tensor:
    """Sub-level disparity: the mean level under a softmax restricted to +-radius around its peak.

    [B, D, H, W] -> [B, 1, H, W] levels. A full soft-argmax would average over separate peaks.
    """
    levels = torch.arange(logits.shape[1], device=logits.device, dtype=logits.dtype).view(1, -1, 1, 1)
    peak = logits.argmax(1, keepdim=True).to(logits.dtype)
    near = ((levels - peak).abs() <= radius).to(logits.dtype)
    weight = (logits - logits.amax(1, keepdim=True)).exp() * near
    return (weight * levels).sum(1, keepdim=True) / weight.sum(1, keepdim=True)


def convex_upsample(disparity: Tensor, logits: Tensor) -> Tensor:
    """Double the resolution of a disparity, see `convex_double`.

    disparity [B, 1, H, W] in coarse pixels, logits [B, 36, H, W] -> [B, 1, 2H, 2W] in fine pixels.
    """
    return convex_double(disparity, logits) * 2


def convex_double(values: Tensor, logits: Tensor) -> Tensor:
    """Double the resolution: every fine pixel is a convex mix of its 3x3 coarse neighbours (RAFT).

    values [B, 1, H, W], logits [B, 36, H, W] -> [B, 1, 2H, 2W].
    """
    b, _, h, w = values.shape
    padded = F.pad(values, (1, 1, 1, 1), mode="replicate")
    neighbours = torch.cat([padded[:, :, y : y + h, x : x + w] for y in range(3) for x in range(3)], 1)
    logits = logits.reshape(b, 9, 4, h, w)
    # The softmax is written out: ONNX Runtime's own is several times slower over this axis.
    weight = (logits - logits.amax(1, keepdim=True)).exp()
    mixed = (weight * neighbours.unsqueeze(2)).sum(1) / weight.sum(1)
    return F.pixel_shuffle(mixed, 2)


def start_bilinear(mask: nn.Conv2d) -> None:
    """Set the layer that gives the logits of `convex_double` so that it interpolates bilinearly at first."""
    nn.init.zeros_(mask.weight)
    fractions = torch.tensor([[0.25, 0.75, 0.0], [0.0, 0.75, 0.25]])  # of three neighbours, for the two fine pixels
    weights = torch.einsum("ai,bj->ijab", fractions, fractions).reshape(9, 4)
    with torch.no_grad():
        mask.bias.copy_(weights.clamp(min=math.exp(-8)).log().flatten())
