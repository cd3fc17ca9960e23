# SPDX-License-Identifier: Apache-2.0
"""Disparity and classes for the eye."""

from __future__ import annotations

import cv2
import numpy as np
from depth_models.labels import LABELS

_CLASS_COLOURS = np.zeros((256, 3), np.uint8)  # unlabelled is black
_CLASS_COLOURS[[label.id for label in LABELS]] = [label.color for label in LABELS]


def colour_disparity(disparity_px: np.ndarray, top_px: float) -> np.ndarray:
    """float [H, W] pixels -> uint8 [H, W, 3] RGB: turbo from 0 (far) to top_px (near), black where not finite."""
    known = np.isfinite(disparity_px)
    scaled = np.clip(np.where(known, disparity_px, 0) / top_px * 255, 0, 255).astype(np.uint8)
    colour = cv2.cvtColor(cv2.applyColorMap(scaled, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    return np.where(known[..., None], colour, 0).astype(np.uint8)


def colour_classes(ids: np.ndarray) -> np.ndarray:
    """uint8 [H, W] ids of LABELS -> uint8 [H, W, 3] RGB, black where unlabelled."""
    return _CLASS_COLOURS[ids]
