# SPDX-License-Identifier: Apache-2.0
"""What a panoptic head should answer for a labelled frame (Panoptic-DeepLab: centre heat map and offsets)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from depth_models import LABELS
from depth_runtime.spec import UNLABELLED

from .frames import LabelledFrame

THING_IDS = tuple(label.id for label in LABELS if label.thing)
STRIDE = 4
SMALLEST_CELLS = 6


class PanopticTargets(NamedTuple):
    """semantic uint8 [H/2, W/2]; the rest at 1/4: heat float32 [1, h, w] 0..1, heat_known bool [1, h, w],

    offset float32 [2, h, w] = (dx, dy) to the centre in cells, offset_known bool [1, h, w].
    """

    semantic: np.ndarray
    heat: np.ndarray
    heat_known: np.ndarray
    offset: np.ndarray
    offset_known: np.ndarray


def panoptic_targets(frame: LabelledFrame) -> PanopticTargets:
    """Targets of one frame whose size is a multiple of 4.

    Without instances, stuff still says where no centre can be. Things of fewer than 6 cells have no centre.
    """
    semantic = frame.semantic[1::STRIDE, 1::STRIDE]
    h, w = semantic.shape
    thing = np.isin(semantic, THING_IDS)
    heat = np.zeros((1, h, w), np.float32)
    offset = np.zeros((2, h, w), np.float32)
    offset_known = np.zeros((1, h, w), bool)
    heat_known = ((semantic != UNLABELLED) & (~thing | (frame.instance is not None)))[None]
    if frame.instance is not None:
        instance = frame.instance[1::STRIDE, 1::STRIDE] * thing
        y, x = np.mgrid[:h, :w].astype(np.float32)
        for number in np.unique(instance[instance > 0]):
            mask = instance == number
            if mask.sum() < SMALLEST_CELLS:
                continue
            centre_x, centre_y = x[mask].mean(), y[mask].mean()
            sigma = np.clip(0.08 * np.sqrt(mask.sum()), 1.0, 4.0)
            blob = np.exp(-((x - centre_x) ** 2 + (y - centre_y) ** 2) / (2 * sigma**2))
            heat[0] = np.maximum(heat[0], blob)
            offset[0][mask], offset[1][mask] = (centre_x - x)[mask], (centre_y - y)[mask]
            offset_known[0] |= mask
    return PanopticTargets(frame.semantic[::2, ::2], heat, heat_known, offset, offset_known)
