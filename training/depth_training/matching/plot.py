# SPDX-License-Identifier: Apache-2.0
"""Picture of matching curves: where they are flat, what their minimum says, and the curves of some pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from depth_runtime.drawing import colour_values

from .analysis import MatchingCurves

Pixel = tuple[int, int]  # column, row


class PlottedPair(NamedTuple):
    """left: uint8 [H, W, 3] RGB; disparity_px: float32 [H, W] of the network; truth_px: the same, NaN = unknown."""

    left: np.ndarray
    disparity_px: np.ndarray
    truth_px: np.ndarray | None


def plot_matching(pair: PlottedPair, curves: dict[str, MatchingCurves], pixels: dict[str, Pixel], path: Path) -> None:
    """Write the picture: a row of maps for each cost by name, below them one panel for each named pixel."""
    from matplotlib.figure import Figure

    height, width = pair.left.shape[:2]
    columns = max(3, len(pixels))
    rows = len(curves) + 2
    figure = Figure(figsize=(4.6 * columns, 4.6 * height / width * (rows - 1) + 3.2), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    top_px = float(next(iter(curves.values())).cost.shape[0])
    known = pair.disparity_px if pair.truth_px is None else pair.truth_px
    heading = "network" if pair.truth_px is None else "truth"
    _show(panels[0], [("left", pair.left), (heading, colour_values(known, top_px))])
    for place, (name, (x, y)) in enumerate(pixels.items()):
        panels[0][0].plot(x, y, "o", color=f"C{place}", markeredgecolor="white", label=name)
    panels[0][0].legend(fontsize="x-small")
    for row, (name, one) in zip(panels[1:], curves.items(), strict=False):
        _show(row, [(f"{name}: least cost", colour_values(one.best_px, top_px))])
        shown = row[1].imshow(one.entropy, vmin=0, vmax=1, cmap="viridis")
        row[1].set_title(f"{name}: entropy (0 sharp, 1 flat)", fontsize="small")
        figure.colorbar(shown, ax=row[1], shrink=0.8)
        row[2].hist(one.entropy[np.isfinite(one.entropy)], bins=50, range=(0, 1))
        row[2].set_title(f"{name}: pixels by entropy", fontsize="small")
        for panel in (row[0], row[1], *row[3:]):
            panel.axis("off")
    for place, (panel, (name, pixel)) in enumerate(zip(panels[-1], pixels.items(), strict=False)):
        _plot_curves(panel, curves, pixel, known, f"{name} {pixel}", f"C{place}")
    for panel in (*panels[0][2:], *panels[-1][len(pixels) :]):
        panel.axis("off")
    figure.savefig(path, dpi=110)


def _show(row: Sequence, images: list[tuple[str, np.ndarray]]) -> None:
    for panel, (title, image) in zip(row, images, strict=False):
        panel.imshow(image)
        panel.set_title(title, fontsize="small")
        panel.axis("off")


def _plot_curves(
    panel, curves: dict[str, MatchingCurves], pixel: Pixel, known_px: np.ndarray, title: str, color: str
) -> None:
    """Curves of one pixel, each divided by its mean, with the known disparity as a line."""
    x, y = pixel
    for name, one in curves.items():
        values = one.cost[:, y, x]
        panel.plot(values / np.nanmean(values), label=f"{name}, entropy {one.entropy[y, x]:.2f}")
    if np.isfinite(known_px[y, x]):
        panel.axvline(known_px[y, x], color="black", linestyle=":")
    panel.set_title(title, fontsize="small", color=color)
    panel.set_xlabel("disparity (px)", fontsize="small")
    panel.legend(fontsize="x-small")
