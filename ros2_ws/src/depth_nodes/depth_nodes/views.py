# SPDX-License-Identifier: Apache-2.0
"""Pictures for people: RViz and Foxglove show neither DisparityImage nor class ids."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from depth_runtime.results import PanopticMap
from depth_runtime.spec import Label

_OVERLAY = 0.5
_UNKNOWN_RGB = (0, 0, 0)


def palette(labels: Sequence[Label]) -> np.ndarray:
    """uint8 [256, 1, 3] RGB by class id; black where a label has no colour."""
    table = np.full((256, 1, 3), _UNKNOWN_RGB, np.uint8)
    for label in labels:
        table[label.id, 0] = label.color
    return table


def panoptic_view(panoptic: PanopticMap, left_rgb: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """RGB uint8 [H, W, 3]: class colours over the left image, instances outlined in white."""
    view = cv2.applyColorMap(panoptic.semantic, colors)
    view = cv2.addWeighted(view, _OVERLAY, left_rgb, 1 - _OVERLAY, 0)
    if panoptic.instance is not None:
        edges = cv2.morphologyEx(panoptic.instance, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        view[edges > 0] = 255
    return view


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
        with np.errstate(invalid="ignore"):
            level = np.clip(disparity_px * np.float32(255 / max(1.0, self._top_px)), 0, 255)
            view = cv2.applyColorMap(np.nan_to_num(level).astype(np.uint8), cv2.COLORMAP_TURBO)
        view[np.isnan(disparity_px)] = 0
        return cv2.cvtColor(view, cv2.COLOR_BGR2RGB)


class Views:
    """What pictures of one network's maps are drawn with: the colours of its classes and a scale that lasts."""

    def __init__(self, labels: Sequence[Label]) -> None:
        self.colors = palette(labels)
        self.disparity = DisparityView()
