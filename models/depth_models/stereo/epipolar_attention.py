# SPDX-License-Identifier: Apache-2.0
"""Mutual attention of the two views of a rectified pair (H-Net, Huang et al., CVPRW 2022).

Pixels that may match stand on a line: MEA compares the pixels of equal image rows, MNL all pixels of both images. The
matching is the embedded Gaussian (EG) or optimal transport (OT).
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

KINDS = ("eg_mnl", "eg_mea", "ot_mnl", "ot_mea")
# Strength of the entropy that makes the transport of Eq. 4 solvable by Sinkhorn. The costs lie between 1 and e^2, so a
# perfect match gets up to 300 times the weight of an unrelated pixel. Ten iterations bring the sums of lines of 40 and
# more pixels within 1e-3 of the masses; short lines are left some per cent off.
ENTROPY = 0.3
# Added to the activations before they become masses: a line without any gets equal masses instead of 0 / 0, and a pixel
# without activation on any other line gets next to nothing, whose logarithm is finite.
LEAST_ACTIVATION = 1e-6
_LEAST_EMBEDDING = 16


class MutualAttention(nn.Module):
    """Adds to each view what the other view shows at matching places (Eq. 1)."""

    def __init__(self, channels: int, kind: str, iterations: int = 10) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"expected an attention among {list(KINDS)}, got '{kind}'; choose one of them")
        matching, reach = kind.split("_")
        self.epipolar, self.iterations = reach == "mea", iterations
        embedding = max(_LEAST_EMBEDDING, channels // 4)
        self.source, self.target = nn.Conv2d(channels, embedding, 1), nn.Conv2d(channels, embedding, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.mass = nn.Conv2d(channels, 1, 1) if matching == "ot" else None
        if self.mass is not None:  # all pixels start with mass: one below zero has no gradient to come back
            nn.init.constant_(self.mass.bias, 1.0)

    def forward(self, views: Tensor) -> Tensor:
        """Features of the left views, then of the right ones, [2B, C, H, W] -> the same with what was retrieved."""
        retrieved = self.matching(views) @ self._lines(swap_views(self.value(views)).float())
        b, c, h, w = views.shape
        return views + retrieved.to(views.dtype).reshape(b, h, w, c).permute(0, 3, 1, 2)

    def matching(self, views: Tensor) -> Tensor:
        """Weight of each pixel of the other view (last axis) for each of one's own, [2B, lines, pixels, pixels].

        EG: rows sum to one. OT: matrix M of Eq. 4 times the number of pixels, so that weights do not depend on it.
        """
        with _full_precision(views):
            views = views.float()
            target, source = self._lines(self.target(views)), self._lines(swap_views(self.source(views)))
            if self.mass is None:
                return torch.softmax(target @ source.mT, -1)
            cosine = _unit(target) @ _unit(source).mT
            masses = pixel_masses(self._lines(self.mass(views)))
            log_masses = masses.log()
            plan = sinkhorn((1 - cosine).exp(), log_masses, swap_views(log_masses).mT, self.iterations)
            return plan * plan.shape[-1]

    def _lines(self, x: Tensor) -> Tensor:
        """[2B, C, H, W] -> [2B, H, W, C] for MEA, [2B, 1, H * W, C] for MNL."""
        b, c, h, w = x.shape
        x = x.permute(0, 2, 3, 1)
        return x if self.epipolar else x.reshape(b, 1, h * w, c)


def swap_views(x: Tensor) -> Tensor:
    """Left and right halves of the batch exchanged. [2B, ...] -> [2B, ...]."""
    left, right = x.chunk(2)
    return torch.cat((right, left))


def pixel_masses(activations: Tensor) -> Tensor:
    """What each pixel may send or receive: its activation above zero as a fraction of its line's (Theta of Eq. 4).

    [..., pixels, 1] -> the same, above 0, each line's sum is one.
    """
    positive = F.relu(activations) + LEAST_ACTIVATION
    return positive / positive.sum(-2, keepdim=True)


def sinkhorn(cost: Tensor, log_rows: Tensor, log_columns: Tensor, iterations: int) -> Tensor:
    """Transport plan of least cost with given row and column sums (Eq. 4, 5), by Sinkhorn's iteration on logarithms.

    cost [..., n, m]; log_rows [..., n, 1], log_columns [..., 1, m]: logarithms of the sums -> [..., n, m]. A fixed
    number of iterations is unrolled. The column sums are exact, the row sums as near as the iterations came.
    """
    log_kernel = cost / -ENTROPY
    column_scale = torch.zeros_like(log_columns)
    row_scale = torch.zeros_like(log_rows)
    for _ in range(iterations):
        row_scale = log_rows - _log_sum_exp(log_kernel + column_scale, -1)
        column_scale = log_columns - _log_sum_exp(log_kernel + row_scale, -2)
    return (log_kernel + row_scale + column_scale).exp()


def _unit(vectors: Tensor) -> Tensor:
    """Length one along the last axis; written out for the same reason as _log_sum_exp."""
    return vectors * torch.rsqrt((vectors * vectors).sum(-1, keepdim=True) + 1e-12)


def _log_sum_exp(x: Tensor, axis: int) -> Tensor:
    """Written out: torch's own becomes an operator whose form changed between the opsets that are exported."""
    top = x.amax(axis, keepdim=True).detach()
    return (x - top).exp().sum(axis, keepdim=True).log() + top


def _full_precision(x: Tensor) -> AbstractContextManager:
    """FP32 also inside autocast; nothing elsewhere, where it would only leave traces in an exported graph."""
    kind = x.device.type
    inside = torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
    return torch.autocast(kind, enabled=False) if inside else nullcontext()
