# SPDX-License-Identifier: Apache-2.0
"""Which pixels of the left view the right camera does not see, from the left view's disparity alone."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def occluded_by_disparity(disparity_px: Tensor, tolerance_px: float = 1.0) -> Tensor:
    """True where a point lands outside the right view, or behind a point of the left view that is nearer.

    disparity_px: [B, 1, H, W] of the left view, NaN = unknown -> bool, False where unknown. Each point covers the two
    columns of the right view around x - d; nearer means more disparity by more than the tolerance, which a slanted
    surface that the right camera sees foreshortened stays within. What only the right view shows hides nothing here.
    """
    known = disparity_px.isfinite()
    disparity_px = torch.where(known, disparity_px, 0).float()
    width = disparity_px.shape[-1]
    column = torch.arange(width, device=disparity_px.device) - disparity_px
    nearest = torch.full_like(disparity_px, -torch.inf)
    for covered in (column.floor(), column.ceil()):
        lands = known & (covered >= 0) & (covered <= width - 1)
        value = torch.where(lands, disparity_px, -torch.inf)
        nearest = nearest.scatter_reduce(3, covered.long().clamp(0, width - 1), value, "amax")
    outside = column < -0.5
    hidden = nearest.gather(3, column.round().long().clamp(0, width - 1)) > disparity_px + tolerance_px
    return known & (outside | hidden)
