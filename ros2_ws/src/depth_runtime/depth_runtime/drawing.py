# SPDX-License-Identifier: Apache-2.0
"""Maps for the eye: values in turbo colours, classes over an image. RGB, uint8 [H, W, 3] throughout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np


def colour_values(values: np.ndarray, top: float, *, near_is_red: bool = True) -> np.ndarray:
    """Turbo colours of float [H, W] from 0 (blue) to top (red), black where not finite.

    near_is_red: as disparity wants it; False turns the colours round, so that a small depth is red.
    """
    known = np.isfinite(values)
    level = np.clip(values * np.float32(255 / top), 0, 255)
    level = np.where(known, level, 0).astype(np.uint8)  # what a cast makes of NaN depends on the processor
    view = cv2.applyColorMap(level if near_is_red else 255 - level, cv2.COLORMAP_TURBO)
    view[~known] = 0
    return cv2.cvtColor(view, cv2.COLOR_BGR2RGB)


def palette(colors: Mapping[int, Sequence[int]], other: Sequence[int] = (0, 0, 0)) -> np.ndarray:
    """uint8 [256, 3] RGB by class id; `other` for ids that have no colour."""
    table = np.full((256, 3), other, np.uint8)
    for number, color in colors.items():
        table[number] = color
    return table


def overlay_classes(
    image: np.ndarray,
    semantic: np.ndarray,
    instance: np.ndarray | None,
    colors: np.ndarray,
    alpha: float = 0.5,
    *,
    thin: bool = False,
) -> np.ndarray:
    """Class colours over an image, with white rims around instances where they are known.

    semantic: uint8 [H, W]; instance: uint16 [H, W] or None; colors: of `palette`; alpha: weight of the colours. A rim
    is on both sides of an instance's edge, a thin one inside the smaller id only.
    """
    mixed = cv2.addWeighted(cv2.applyColorMap(semantic, colors[:, None]), alpha, image, 1 - alpha, 0)
    if instance is not None:
        around = np.ones((3, 3), np.uint8)
        if thin:
            rim = cv2.dilate(instance, around) != instance
        else:
            rim = cv2.morphologyEx(instance, cv2.MORPH_GRADIENT, around) > 0
        mixed[rim] = 255
    return mixed
