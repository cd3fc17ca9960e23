# SPDX-License-Identifier: Apache-2.0
"""Matching costs between the left and the right feature map, without loops over disparities."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def correlation_volume(left: Tensor, right: Tensor, levels: int, groups: int) -> Tensor:
    """Group-wise similarity C(g, d, y, x) = <left_g(y, x), right_g(y, x - d)> for d in 0..levels-1.

    left, right: [B, C, H, W] -> [B, groups * levels, H, W], zero where x - d leaves the image. One matrix
    product per image row gives all pairs of columns; the band of valid shifts is cut out by a skew: with the
    right columns in reverse order, rows of width n read as rows of width n - 1 move row x back by x columns.
    """
    b, c, h, w = left.shape
    columns = w + levels - 1
    left_rows = left.reshape(b, groups, c // groups, h, w).permute(0, 1, 3, 4, 2)
    reverse = F.pad(right, (levels - 1, 0)).flip(-1)
    right_rows = reverse.reshape(b, groups, c // groups, h, columns).permute(0, 1, 3, 2, 4)
    pairs = left_rows @ right_rows  # [B, G, H, W, columns]: shift d of column x stands at w - 1 - x + d
    # A slice, not a pad: it also works on integers, so a quantised graph keeps the whole volume in eight bits.
    flat = pairs.reshape(b, groups, h, w * columns)[..., w - 1 : w * columns - 1]
    band = flat.reshape(b, groups, h, w, columns - 1)[..., :levels]
    return band.permute(0, 1, 4, 2, 3).reshape(b, groups * levels, h, w)


def local_correlation(left: Tensor, right: Tensor, disparity: Tensor, radius: int) -> Tensor:
    """Similarity around a disparity estimate: <left(x), right(x - disparity + i)> for i in -radius..radius.

    left, right: [B, C, H, W]; disparity [B, 1, H, W] >= 0 in their pixels -> [B, 2 * radius + 1, H, W].
    Products are taken at the 2 * radius + 2 whole columns and then interpolated linearly, which equals
    sampling features at sub-pixel columns but reads each feature vector once, as one contiguous row. Where the
    disparity is not a number, neither is the result.
    """
    b, c, h, w = left.shape
    x = torch.arange(w, device=left.device, dtype=disparity.dtype).view(1, 1, w) - disparity[:, 0]
    column = x.floor()
    stride = w + 2 * radius + 3
    rows = F.pad(right.permute(0, 2, 3, 1), (0, 0, radius + 1, radius + 2)).reshape(b * h * stride, c)
    first = torch.arange(b * h, device=left.device).view(b, h, 1) * stride
    inside = column >= -1
    # Not clamp: it lets NaN pass, which is no index.
    index = first + torch.where(inside, column, -1.0).long() + 1
    vectors = left.permute(0, 2, 3, 1)
    index = index.reshape(-1)
    products = [(rows.index_select(0, index + tap).view(b, h, w, c) * vectors).sum(-1) for tap in range(2 * radius + 2)]
    # A view that starts left of the image contributes nothing, as in zero-padded bilinear sampling.
    near = (1 - (x - column)) * (column >= 0)
    far = (x - column) * inside
    return torch.stack([products[i] * near + products[i + 1] * far for i in range(2 * radius + 1)], 1)
