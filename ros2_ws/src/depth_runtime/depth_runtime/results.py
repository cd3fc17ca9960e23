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


@dataclass(kw_only=True)
class Result:
    """Maps of one view at the published size (H, W) of `plan`; None where not asked for.

    view_rgb: uint8 [Hs, Ws, 3], the camera image that the maps belong to. confidence: float32 [H, W], 0..1, 1 = sure.
    valid_ratio: fraction of pixels with a disparity or depth, which is NaN where confidence is below the threshold.
    milliseconds: time of each stage in order. The arrays live until the next call of the pipeline.
    """

    plan: ImagePlan
    view_rgb: np.ndarray
    confidence: np.ndarray | None = None
    panoptic: PanopticMap | None = None
    valid_ratio: float = 1.0
    milliseconds: dict[str, float] = field(default_factory=dict)


@dataclass(kw_only=True)
class StereoResult(Result):
    """Maps of the left view of a pair.

    disparity_px: float32 [H, W], pixels of the published size as the network sees them (not yet shifted by the
    principal points).
    """

    disparity_px: np.ndarray


@dataclass(kw_only=True)
class MonoResult(Result):
    """Maps of a single camera's view.

    canonical_depth_m: float32 [H, W], metres for a camera whose focal length is canonical_focal_px at the network's
    size; `depth_m` has those for the camera that took the image.
    """

    canonical_depth_m: np.ndarray
    canonical_focal_px: float

    def depth_m(self, fx_px: float) -> np.ndarray:
        """Depth float32 [H, W] in metres for a camera of focal length fx_px, in pixels of its own image."""
        return self.canonical_depth_m * np.float32(fx_px * self.plan.scale_in[0] / self.canonical_focal_px)
