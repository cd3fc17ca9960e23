# SPDX-License-Identifier: Apache-2.0
"""Depth error by distance: the ARD curve and the global difference (GD) of DrivingStereo (Yang et al., CVPR 2019).

`ARD_k = mean(|z - z*| / z*)` over the pixels whose true depth `z*` lies in range k; GD = mean of ARD_k over the ranges.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class DistanceErrors:
    """Adds up depth maps over ranges of true depth, `width_m` wide, from 0 to far_m; pixels count alike in a range.

    A prediction beyond far_m (or infinitely far) is taken as far_m, so that sky-like predictions cost a bounded error;
    NaN, no prediction, is left out and lowers the range's density.
    """

    far_m: float = 80.0
    width_m: float = 4.0
    _sum: np.ndarray = field(init=False)
    _scored: np.ndarray = field(init=False)
    _known: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        if not 0 < self.width_m <= self.far_m:
            raise ValueError(f"expected 0 < width_m <= far_m, got {self.width_m} and {self.far_m}; correct the ranges")
        count = int(np.ceil(self.far_m / self.width_m))
        self._sum, self._scored, self._known = np.zeros(count), np.zeros(count, np.int64), np.zeros(count, np.int64)

    def add(self, predicted_m: np.ndarray, truth_m: np.ndarray) -> None:
        """Add float [H, W] maps in metres; truth counts where it is finite and in 0..far_m (0 excluded)."""
        if predicted_m.shape != truth_m.shape:
            raise ValueError(f"expected depth of the truth's shape {truth_m.shape}, got {predicted_m.shape}")
        known = np.isfinite(truth_m) & (truth_m > 0) & (truth_m < self.far_m)
        truth, predicted = truth_m[known].astype(np.float64), predicted_m[known].astype(np.float64)
        place, count = (truth / self.width_m).astype(np.int64), len(self._sum)
        self._known += np.bincount(place, minlength=count)
        known = ~np.isnan(predicted)
        error = np.abs(np.clip(predicted, 0, self.far_m) - truth)[known] / truth[known]
        self._scored += np.bincount(place[known], minlength=count)
        self._sum += np.bincount(place[known], weights=error, minlength=count)

    def curve(self) -> list[dict[str, float]]:
        """Ranges with truth: near_m, far_m, ard (per cent, NaN without a prediction), density (per cent), pixels."""
        return [
            {
                "near_m": self.width_m * k,
                "far_m": min(self.width_m * (k + 1), self.far_m),
                "ard": float(100 * self._sum[k] / self._scored[k]) if self._scored[k] else float("nan"),
                "density": float(100 * self._scored[k] / self._known[k]),
                "pixels": int(self._scored[k]),
            }
            for k in np.flatnonzero(self._known)
        ]

    def gd(self) -> float:
        """Mean ARD (per cent) of the ranges that were predicted; NaN when none was."""
        known = self._scored > 0
        return float(100 * (self._sum[known] / self._scored[known]).mean()) if known.any() else float("nan")
