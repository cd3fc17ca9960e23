# SPDX-License-Identifier: Apache-2.0
"""Objective "self_supervised_pair": each view, rebuilt from the other one, must look like itself (H-Net, Monodepth2).

No truth is used. Disparities of both views at every scale are brought to input resolution first, because differences of
small images have many more wrong minima. Pixels that the other view does not show are not left out: where columns
outside repeat the border, a prediction cannot escape its error by pointing there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from depth_models.stereo.sigmoid_decoder import SCALES
from torch import Tensor

from ..reconstruction import (
    SAMPLINGS,
    edge_aware_smoothness,
    photometric_error,
    warp_left_to_right,
    warp_right_to_left,
)
from .registry import Step, objective


@dataclass(frozen=True)
class SelfSupervisedPairOptions:
    """gamma: fraction of structure, not colour (Eq. 6); smoothness: lambda, weight of the edge-aware prior (Eq. 7)."""

    gamma: float = 0.85
    smoothness: float = 0.001
    sampling: str = "bilinear"

    def __post_init__(self) -> None:
        if self.sampling not in SAMPLINGS:
            raise ValueError(f"expected sampling among {list(SAMPLINGS)}, got '{self.sampling}'; correct it")


@objective("self_supervised_pair", SelfSupervisedPairOptions)
def self_supervised_pair(step: Step) -> dict[str, Tensor]:
    """Mean over scales and both views of Eq. 6 and of lambda times Eq. 7, which sum to Eq. 8.

    Needs the predictions left_8 .. left_1 and right_8 .. right_1: disparity [B, 1, H/s, W/s] in px of the input.
    """
    left, right, options = step.batch.left, step.batch.right, step.options
    errors, roughness = [], []
    for stride in SCALES:
        of_left, of_right = (_at_full_size(step.prediction[f"{view}_{stride}"], left) for view in ("left", "right"))
        views = (
            (left, of_left, warp_right_to_left(right, of_left, options.sampling).view),
            (right, of_right, warp_left_to_right(left, of_right, options.sampling).view),
        )
        for image, disparity_px, rebuilt in views:
            errors.append(photometric_error(image, rebuilt, options.gamma).mean())
            roughness.append(edge_aware_smoothness(disparity_px, image).mean())
    return {
        "photometric": torch.stack(errors).mean(),
        "smoothness": options.smoothness * torch.stack(roughness).mean(),
    }


def _at_full_size(disparity_px: Tensor, image: Tensor) -> Tensor:
    """Values are in px of the input already."""
    size = image.shape[2:]
    same = disparity_px.shape[2:] == size
    return disparity_px if same else F.interpolate(disparity_px, size, mode="bilinear", align_corners=False)
