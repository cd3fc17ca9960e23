# SPDX-License-Identifier: Apache-2.0
"""Does the confidence know where the errors are: error of the most confident pixels as a function of their fraction.

Source: Hu & Mordohai, PAMI 2012 (density-accuracy or sparsification curve and the area under it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEPS = 20


@dataclass(frozen=True)
class DensityCurve:
    """Mean cost among a fraction of the pixels, the most confident ones.

    density: float [K], 1/K .. 1; cost: float [K] by the given confidence; best: float [K] if errors were known.
    """

    density: np.ndarray
    cost: np.ndarray
    best: np.ndarray

    @property
    def auc(self) -> float:
        """Area under the curve: mean of cost over the densities, in units of the cost. Less is better."""
        return float(self.cost.mean())

    @property
    def best_auc(self) -> float:
        """The least area that any confidence reaches on these errors."""
        return float(self.best.mean())


def density_curve(cost: np.ndarray, confidence: np.ndarray, steps: int = STEPS) -> DensityCurve:
    """Curve of per-pixel costs float [N] sorted by confidence float [N], 1 = sure.

    Cost may be |error| in px, or 100 * (|error| > 3 px) for a curve in per cent. Equal confidences count as shuffled:
    within them the mean is taken. Raises ValueError when the sizes differ or nothing is there.
    """
    cost, confidence = np.ravel(cost).astype(np.float64), np.ravel(confidence)
    if cost.shape != confidence.shape or not cost.size or np.isnan(confidence).any():
        raise ValueError(
            f"expected as many costs as confidences, none NaN, at least one, got {cost.size} and {confidence.size}; "
            "leave pixels without truth out"
        )
    density = np.arange(1, steps + 1) / steps
    return DensityCurve(density, _sparsified(cost, confidence, density), _sparsified(cost, -cost, density))


def _sparsified(cost: np.ndarray, confidence: np.ndarray, density: np.ndarray) -> np.ndarray:
    """Mean cost of the most confident density * N pixels."""
    order = np.argsort(-confidence, kind="stable")
    total = np.concatenate(((0.0,), np.cumsum(cost[order])))
    last_of_equals = np.flatnonzero(np.diff(confidence[order], append=np.nan) != 0) + 1
    ends = np.concatenate(((0,), last_of_equals))
    count = density * cost.size
    return np.interp(count, ends, total[ends]) / count
