# SPDX-License-Identifier: Apache-2.0
"""How much a reconstructed view differs from the true one in structure and colour."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from torch import Tensor

STABILISERS = (0.01**2, 0.03**2)  # C1, C2 of SSIM for values in 0..1


def image_range_to_unit(image: Tensor) -> Tensor:
    """RGB 0..255 of any type -> float32 0..1."""
    return image.float() / 255


def ssim_distance(a: Tensor, b: Tensor) -> Tensor:
    """(1 - SSIM(a, b)) / 2 over 3x3 windows, 0 = alike, at most 1.

    a, b: [B, C, H, W] in 0..1 -> float32 of the same shape; the border is reflected.
    """
    a, b = (F.pad(x.float(), (1, 1, 1, 1), mode="reflect") for x in (a, b))
    mean_a, mean_b = _mean3(a), _mean3(b)
    variances = _mean3(a * a) - mean_a**2 + _mean3(b * b) - mean_b**2
    covariance = _mean3(a * b) - mean_a * mean_b
    c1, c2 = STABILISERS
    likeness = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    ssim = likeness / ((mean_a**2 + mean_b**2 + c1) * (variances + c2))
    return ((1 - ssim) / 2).clamp(0, 1)


def _mean3(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, 1)


def photometric_error(image: Tensor, reconstruction: Tensor, gamma: float = 0.85) -> Tensor:
    """gamma (1 - SSIM) / 2 + (1 - gamma) |I - I*|, mean over the channels (Godard et al. 2017; H-Net Eq. 6).

    image, reconstruction: [B, C, H, W] in 0..255 -> float32 [B, 1, H, W], 0..1.
    """
    a, b = image_range_to_unit(image), image_range_to_unit(reconstruction)
    error = gamma * ssim_distance(a, b) + (1 - gamma) * (a - b).abs()
    return error.mean(1, keepdim=True)
