# SPDX-License-Identifier: Apache-2.0
"""Pictures for people: RViz and Foxglove show neither DisparityImage nor class ids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from depth_runtime.drawing import colour_values, palette
from depth_runtime.spec import Label


class DisparityView:
    """Turbo colours for a disparity map, near = red; invalid = black.

    The scale follows the 99th percentile of the scene slowly, so that a video does not flicker.
    """

    def __init__(self) -> None:
        self._top_px = 0.0

    def draw(self, disparity_px: np.ndarray) -> np.ndarray:
        """RGB uint8 [H, W, 3] of float32 [H, W] pixels, NaN = invalid."""
        sample = disparity_px[::8, ::8]
        sample = sample[np.isfinite(sample)]
        if sample.size:
            top = max(1.0, float(np.percentile(sample, 99)))
            self._top_px = top if self._top_px == 0 else 0.9 * self._top_px + 0.1 * top
        return colour_values(disparity_px, max(1.0, self._top_px))


class Views:
    """What pictures of one network's maps are drawn with: the colours of its classes and a scale that lasts."""

    def __init__(self, labels: Sequence[Label]) -> None:
        self.colors = palette({label.id: label.color for label in labels})
        self.disparity = DisparityView()
