# SPDX-License-Identifier: Apache-2.0
"""The prior that disparity changes where the image does."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .photometric import image_range_to_unit


def edge_aware_smoothness(disparity_px: Tensor, image: Tensor) -> Tensor:
    """|dx d*| exp(-|dx I|) + |dy d*| exp(-|dy I|) with d* = d / mean(d) (H-Net Eq. 7; Wang et al. 2018).

    Without the division a network would lower the cost by shrinking all disparities. disparity_px: [B, 1, H, W] >= 0;
    image: [B, 3, H, W] in 0..255, its gradient averaged over the channels in units of 1. Returns float32
    [B, 1, H, W]; differences stand at their left or upper pixel, 0 in the last column and row.
    """
    disparity_px = disparity_px.float()
    normalised = disparity_px / disparity_px.mean((2, 3), keepdim=True).clamp(min=1e-6)
    unit = image_range_to_unit(image)
    across = _columns(normalised) * (-_columns(unit)).exp()
    down = _rows(normalised) * (-_rows(unit)).exp()
    return F.pad(across, (0, 1)) + F.pad(down, (0, 0, 0, 1))


def _columns(x: Tensor) -> Tensor:
    return (x[..., 1:] - x[..., :-1]).abs().mean(1, keepdim=True)


def _rows(x: Tensor) -> Tensor:
    return (x[..., 1:, :] - x[..., :-1, :]).abs().mean(1, keepdim=True)
