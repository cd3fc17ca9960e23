# SPDX-License-Identifier: Apache-2.0
"""View reconstruction: warp one view to the other by disparity and say, pixel by pixel, how well it fits.

Everything returns maps in FP32, also inside autocast; masks and means belong to the objectives.
"""

from .features import DISTANCES, feature_distance, feature_reconstruction
from .occlusion import occluded_by_disparity
from .photometric import image_range_to_unit, photometric_error, ssim_distance
from .smoothness import edge_aware_smoothness
from .warp import SAMPLINGS, Warped, warp_left_to_right, warp_right_to_left

__all__ = [
    "DISTANCES",
    "SAMPLINGS",
    "Warped",
    "edge_aware_smoothness",
    "feature_distance",
    "feature_reconstruction",
    "image_range_to_unit",
    "occluded_by_disparity",
    "photometric_error",
    "ssim_distance",
    "warp_left_to_right",
    "warp_right_to_left",
]
