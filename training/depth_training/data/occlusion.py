# SPDX-License-Identifier: Apache-2.0
"""Which pixels of the left view the right camera does not see, from the true disparity of both views."""

from __future__ import annotations

import numpy as np


def occluded_by_check(left_px: np.ndarray, right_px: np.ndarray, tolerance_px: float = 1.0) -> np.ndarray:
    """Left-right check of two true maps float32 [H, W]: bool [H, W].

    True where the point lands outside the right image or on a surface that is closer by more than the tolerance.
    Pixels of unknown disparity in either map are not called occluded.
    """
    width = left_px.shape[1]
    x = np.arange(width, dtype=np.float32) - np.nan_to_num(left_px)
    column = np.rint(x).astype(np.int64)
    there = np.take_along_axis(right_px, column.clip(0, width - 1), axis=1)
    with np.errstate(invalid="ignore"):
        hidden = there > left_px + tolerance_px
    return (hidden | (column < 0)) & np.isfinite(left_px)
