# SPDX-License-Identifier: Apache-2.0
"""Resampling of a rectified view along its rows, so that it lies on the other view."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

# The weights of columns floor(x) + first, floor(x) + first + 1, ... for the fraction t = x - floor(x) in 0..1.
Taps = tuple[int, list[Tensor]]


class Warped(NamedTuple):
    """view: float32 [B, C, H, W] on the other view's grid; in_view: bool [B, 1, H, W], False where it was not seen."""

    view: Tensor
    in_view: Tensor


def _linear(t: Tensor) -> Taps:
    return 0, [1 - t, t]


def _nearest(t: Tensor) -> Taps:
    """Value of the nearest column, gradient of the linear one: no blur, which would favour whole disparities."""
    far = t + ((t >= 0.5).to(t.dtype) - t).detach()
    return 0, [1 - far, far]


def _cubic(t: Tensor) -> Taps:
    """Catmull-Rom: through the samples like the linear one, with a gradient that does not jump between columns."""
    near = lambda x: (1.5 * x - 2.5) * x * x + 1  # noqa: E731
    far = lambda x: ((-0.5 * x + 2.5) * x - 4) * x + 2  # noqa: E731
    return -1, [far(1 + t), near(t), near(1 - t), far(2 - t)]


def _hann(t: Tensor) -> Taps:
    """A cosine window over four columns: blurs, but its gradient looks twice as far as the linear one."""
    return -1, [0.25 * (1 + torch.cos(math.pi / 2 * (t - place))) for place in (-1, 0, 1, 2)]


SAMPLINGS: dict[str, Callable[[Tensor], Taps]] = {
    "bilinear": _linear,
    "nearest": _nearest,
    "cubic": _cubic,
    "hann": _hann,
}


def warp_right_to_left(right: Tensor, disparity_px: Tensor, sampling: str = "bilinear") -> Warped:
    """The left view as the right one shows it: right(y, x - d(y, x)).

    right: [B, C, H, W] image or features; disparity_px: [B, 1, H, W] of the left view, in columns of `right`.
    Columns outside repeat the border. Raises ValueError for an unknown sampling.
    """
    return _resample_columns(right, -disparity_px, sampling)


def warp_left_to_right(left: Tensor, right_disparity_px: Tensor, sampling: str = "bilinear") -> Warped:
    """The right view as the left one shows it: left(y, x + d(y, x)), with the disparity of the right view.

    Otherwise as warp_right_to_left.
    """
    return _resample_columns(left, right_disparity_px, sampling)


def _resample_columns(source: Tensor, offset_px: Tensor, sampling: str) -> Warped:
    if sampling not in SAMPLINGS:
        raise ValueError(f"expected a sampling among {list(SAMPLINGS)}, got '{sampling}'; choose one of them")
    if offset_px.shape != (source.shape[0], 1, *source.shape[2:]):
        raise ValueError(
            f"expected a disparity [B, 1, H, W] of the size of {list(source.shape)}, got {list(offset_px.shape)}; "
            "resize it and scale its values by the ratio of the widths"
        )
    source, width = source.float(), source.shape[-1]
    column = torch.arange(width, device=source.device, dtype=torch.float32) + offset_px.float()
    base = column.detach().floor()
    first, weights = SAMPLINGS[sampling](column - base)
    view = sum(
        source.gather(3, (base.long() + first + place).clamp(0, width - 1).expand_as(source)) * weight
        for place, weight in enumerate(weights)
    )
    return Warped(view, (column >= 0) & (column <= width - 1))
