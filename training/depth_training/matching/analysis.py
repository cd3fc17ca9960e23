# SPDX-License-Identifier: Apache-2.0
"""Matching curves: what each candidate disparity costs at a pixel, by colours or by a network's features.

A reconstruction loss follows these curves. How sharp they are (entropy) and where their minimum lies, in texture-less
areas and at depth edges, says what such a loss can teach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from depth_runtime.metrics import disparity_errors
from depth_runtime.plan import mirrored
from torch import Tensor, nn

from ..reconstruction import feature_distance, photometric_error, warp_right_to_left

SOFTNESS = 0.1  # of a curve's mean: costs that differ by so much weigh e times less
TEXTURELESS_LEVELS = 2.0  # root mean square of the horizontal gradient over 9x9 pixels, in grey levels of 0..255
EDGE_PX, EDGE_REACH_PX = 3.0, 4  # a depth edge: disparities that far apart so many columns to the left and right
REGIONS = ("all", "texture-less", "textured", "depth edges")


@dataclass(frozen=True)
class MatchingCurves:
    """cost: float32 [D, H, W] of the disparities 0..D-1 px, NaN where the candidate is outside the right view."""

    cost: np.ndarray

    def cropped(self, height: int, width: int) -> MatchingCurves:
        """The curves of the upper left part."""
        return MatchingCurves(self.cost[:, :height, :width])

    @cached_property
    def best_px(self) -> np.ndarray:
        """Candidate of least cost, float32 [H, W] px."""
        return np.nan_to_num(self.cost, nan=np.inf).argmin(0).astype(np.float32)

    @cached_property
    def entropy(self) -> np.ndarray:
        """Entropy of softmax(-cost / (SOFTNESS mean(cost))) over a pixel's candidates, 0 sharp .. 1 flat, [H, W].

        Divided by the logarithm of the number of candidates in view; the mean is that of all curves, so that costs
        of any unit compare. NaN where fewer than two candidates are in view.
        """
        seen = np.isfinite(self.cost)
        logits = np.where(seen, -self.cost / (SOFTNESS * np.nanmean(self.cost)), -np.inf)
        weight = np.exp(logits - logits.max(0))
        fraction = weight / weight.sum(0)
        entropy = -(fraction * np.log(np.maximum(fraction, 1e-12))).sum(0)
        count = seen.sum(0)
        return np.where(count > 1, entropy / np.log(np.maximum(count, 2)), np.nan).astype(np.float32)


@torch.no_grad()
def photometric_curves(left: Tensor, right: Tensor, candidates: int, sampling: str = "bilinear") -> MatchingCurves:
    """Curves of the photometric error; left, right: [1, 3, H, W] in 0..255."""
    costs = []
    for disparity_px in range(candidates):
        view, in_view = warp_right_to_left(right, torch.full_like(left[:, :1], disparity_px), sampling)
        costs.append(_masked(photometric_error(left, view), in_view))
    return MatchingCurves(np.stack(costs))


@torch.no_grad()
def feature_curves(
    left: Sequence[Tensor],
    right: Sequence[Tensor],
    size: tuple[int, int],
    candidates: int,
    distance: str = "cosine",
    sampling: str = "bilinear",
) -> MatchingCurves:
    """Curves of the feature distance, mean over the layers, whose costs are brought to `size` bilinearly.

    left, right: feature maps [1, C, h, w] of each layer; size: (H, W) of the input, multiples of their grids.
    """
    costs = []
    inside = torch.arange(size[1]).expand(1, 1, *size)
    for disparity_px in range(candidates):
        total = torch.zeros(1, 1, *size)
        for a, b in zip(left, right, strict=True):
            shift = torch.full_like(a[:, :1], disparity_px * a.shape[3] / size[1], dtype=torch.float32)
            error = feature_distance(a, warp_right_to_left(b, shift, sampling).view, distance)
            total += F.interpolate(error, size, mode="bilinear") / len(left)
        costs.append(_masked(total, inside >= disparity_px))
    return MatchingCurves(np.stack(costs))


def _masked(cost: Tensor, in_view: Tensor) -> np.ndarray:
    return torch.where(in_view, cost, torch.nan)[0, 0].numpy()


@torch.no_grad()
def network_features(network: nn.Module, left: Tensor, right: Tensor) -> tuple[dict, tuple[int, int]]:
    """The prediction of a network for one pair [1, 3, H, W], padded right and below, and the padded size.

    Raises ValueError for a network that does not give its features.
    """
    height, width = left.shape[2:]
    multiple = network.size_multiple
    size = height + -height % multiple, width + -width % multiple
    rows, columns = np.minimum(np.arange(size[0]), height - 1), mirrored(width, size[1])
    views = {"left": left, "right": right}
    prediction = network(**{name: view[:, :, rows[:, None], columns] for name, view in views.items()})
    if "left_features" not in prediction:
        raise ValueError(
            f"expected a network that gives left_features and right_features, got {type(network).__name__}, which "
            f"gives {sorted(prediction)}; use dispnet or stereo_s"
        )
    return prediction, size


def regions(left: np.ndarray, disparity_px: np.ndarray) -> dict[str, np.ndarray]:
    """Masks bool [H, W] by name: depth edges of a disparity map (NaN = unknown), and the rest by texture.

    left: uint8 [H, W, 3] RGB.
    """
    grey = cv2.cvtColor(left, cv2.COLOR_RGB2GRAY).astype(np.float32)
    gradient = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1) / 2
    flat = cv2.boxFilter(gradient**2, -1, (9, 9)) < TEXTURELESS_LEVELS**2
    window = np.ones((1, 2 * EDGE_REACH_PX + 1), np.uint8)  # of one row: the ground is no edge
    known = np.isfinite(disparity_px)
    high = cv2.dilate(np.where(known, disparity_px, -1e9).astype(np.float32), window)
    low = cv2.erode(np.where(known, disparity_px, 1e9).astype(np.float32), window)
    edge = (high - low > EDGE_PX) & (high > -1e9)  # the latter is False where nothing is known
    everywhere = np.ones_like(flat)
    return dict(zip(REGIONS, (everywhere, flat & ~edge, ~flat & ~edge, edge), strict=True))


def summarise_curves(
    curves: MatchingCurves, masks: dict[str, np.ndarray], truth_px: np.ndarray | None
) -> dict[str, dict[str, float]]:
    """By region: per cent of the image and, with truth, EPE (px) and bad-3 (%) of the least cost; the mean entropy.

    truth_px: float32 [H, W], NaN = unknown; truth beyond the candidates does not count.
    """
    entropy, best_px, rows = curves.entropy, curves.best_px, {}
    for name, mask in masks.items():
        rows[name] = {"percent": 100 * float(mask.mean()), "entropy": _mean_of_finite(entropy[mask])}
        if truth_px is not None:
            within = mask & (truth_px < len(curves.cost))
            errors = disparity_errors(best_px, truth_px, within)
            rows[name] |= {"epe": errors["epe"], "bad3": errors["bad3"]}
    return rows


def _mean_of_finite(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float("nan")
