# SPDX-License-Identifier: Apache-2.0
"""Deep feature reconstruction: compare feature maps of both views instead of their colours."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .warp import Warped, warp_right_to_left

LEAST_LENGTH = 1e-6  # squared length below which the direction of a feature vector says nothing


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    """1 - cos; 0 where a vector has no length, since it has no direction either."""
    lengths = torch.linalg.vector_norm(a, dim=1, keepdim=True) * torch.linalg.vector_norm(b, dim=1, keepdim=True)
    return 1 - ((a * b).sum(1, keepdim=True) + LEAST_LENGTH) / (lengths + LEAST_LENGTH)


def _l1(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().mean(1, keepdim=True)


def _l2(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).square().mean(1, keepdim=True)


DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"cosine": _cosine, "l1": _l1, "l2": _l2}


def feature_distance(a: Tensor, b: Tensor, distance: str = "cosine") -> Tensor:
    """Distance of feature vectors: cosine 1 - cos (0..2), l1 and l2 as means over the channels.

    a, b: [B, C, h, w] -> float32 [B, 1, h, w]. Raises ValueError for an unknown distance.
    """
    if distance not in DISTANCES:
        raise ValueError(f"expected a distance among {list(DISTANCES)}, got '{distance}'; choose one of them")
    return DISTANCES[distance](a.float(), b.float())


def feature_reconstruction(
    left: Tensor, right: Tensor, disparity_px: Tensor, distance: str = "cosine", sampling: str = "bilinear"
) -> Warped:
    """Error map of the left feature map against the right one, warped to it by disparity.

    left, right: [B, C, H/s, W/s]; disparity_px: [B, 1, H, W] of the left view in input pixels, averaged over the
    cells of the feature grid and divided by s. Returns the error, float32 [B, 1, H/s, W/s], and where it was in view.
    Raises ValueError for an unknown distance or sampling and for a grid that does not divide the disparity's.
    """
    stride, rest = divmod(disparity_px.shape[-1], left.shape[-1])
    if rest or disparity_px.shape[-2] != left.shape[-2] * stride:
        raise ValueError(
            f"expected features whose grid divides the disparity's {list(disparity_px.shape[-2:])}, got "
            f"{list(left.shape[-2:])}; give the network a size that is a multiple of its size_multiple"
        )
    warped = warp_right_to_left(right, F.avg_pool2d(disparity_px.float(), stride) / stride, sampling)
    return Warped(feature_distance(left, warped.view, distance), warped.in_view)
