# SPDX-License-Identifier: Apache-2.0
"""Picture of the ARD curves: relative depth error by distance, one panel per data set."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from depth_runtime.distance_metrics import DistanceErrors


def require_matplotlib() -> None:
    """Raises RuntimeError where matplotlib is not installed, so that a long evaluation does not end without it."""
    if find_spec("matplotlib") is None:
        raise RuntimeError("expected matplotlib for the plot, got none; pip install 'depth-stack[plots]'")


def plot_by_distance(curves: Mapping[tuple[str, str], DistanceErrors], path: Path) -> None:
    """Write the curves by (data set, method) as an image; the suffix of `path` chooses the format.

    Raises ValueError when there is no curve.
    """
    if not curves:
        raise ValueError("expected a data set with known cameras, got none; ARD needs focal length and baseline")
    from matplotlib.figure import Figure

    datasets = list(dict.fromkeys(dataset for dataset, _ in curves))
    figure = Figure(figsize=(5.5 * len(datasets), 4), layout="constrained")
    panels = figure.subplots(1, len(datasets), squeeze=False)[0]
    for panel, dataset in zip(panels, datasets, strict=True):
        for method in (method for name, method in curves if name == dataset):
            errors = curves[dataset, method]
            rows = errors.curve()
            middles_m = [(row["near_m"] + row["far_m"]) / 2 for row in rows]
            panel.plot(middles_m, [row["ard"] for row in rows], "o-", label=f"{method}, GD {errors.gd():.2f} %")
        panel.set(title=dataset, xlabel="true distance (m)", ylabel="mean |z - z*| / z* (%)", xlim=(0, None))
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
        panel.legend()
    figure.savefig(path, dpi=120)
