# SPDX-License-Identifier: Apache-2.0
"""What a pipeline hands out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .plan import ImagePlan


@dataclass
class PanopticMap:
    """semantic uint8 [H, W] class ids, 255 unlabelled; instance uint16 [H, W], 0 = stuff, or None if not asked for."""

    semantic: np.ndarray
    instance: np.ndarray | None = None


@dataclass
class StereoResult:
    """Maps of one stereo pair at the published size (H, W) of `plan`; None where not asked for.

    disparity_px: float32 [H, W], left view, pixels of the published size as the network sees them (not yet
    shifted by the principal points), NaN where confidence is below the threshold.
    confidence: float32 [H, W], 0..1, 1 = sure. valid_ratio: share of pixels with a disparity.
    left_rgb: uint8 [Hs, Ws, 3], the left camera image. milliseconds: time of each stage in order. The arrays live
    until the next call of the pipeline.
    """

    plan: ImagePlan
    disparity_px: np.ndarray
    left_rgb: np.ndarray | None = None
    confidence: np.ndarray | None = None
    panoptic: PanopticMap | None = None
    valid_ratio: float = 1.0
    milliseconds: dict[str, float] = field(default_factory=dict)
