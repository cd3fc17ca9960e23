# SPDX-License-Identifier: Apache-2.0
"""Confidence from the agreement of two disparity maps, computed inside the graph."""

from __future__ import annotations

import torch
from torch import Tensor

STRIDE = 2
SURE_PX, SURE_FRACTION = 1.0, 0.05  # maps agree when they differ by less than 1 px + 5 % of the disparity
SHARPNESS = 4.0


def consistency_logits(left_px: Tensor, right_px: Tensor) -> Tensor:
    """Logits of the left view's confidence from its left-right check, on every second pixel.

    left_px, right_px: disparity [B, 1, H, W] of the left and of the right view -> [B, 1, H/2, W/2]. With
    e = |d_left(x) - d_right(x - d_left(x))| and the tolerance t = 1 px + 5 % of d_left, the logit is 4 (1 - e / t):
    sigmoid gives 0.98 for perfect agreement, 0.5 at the tolerance. Where x - d_left leaves the right view nothing can
    be checked, and the logit is that of e = 2 t.
    """
    right = right_px[:, :, ::STRIDE]
    left = left_px[:, :, ::STRIDE, ::STRIDE]
    width = right.shape[-1]
    column = torch.arange(0, width, STRIDE, device=left.device, dtype=left.dtype) - left
    near = column.floor().clamp(0, width - 2)
    fraction = (column - near).clamp(0, 1)
    index = near.long()
    matched = right.gather(3, index) * (1 - fraction) + right.gather(3, index + 1) * fraction
    tolerance = SURE_PX + SURE_FRACTION * left
    error = torch.where(column < 0, 2 * tolerance, (left - matched).abs())
    return SHARPNESS * (1 - error / tolerance)
