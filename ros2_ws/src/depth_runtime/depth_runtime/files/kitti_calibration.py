# SPDX-License-Identifier: Apache-2.0
"""Calibration texts of "key: numbers" lines, as KITTI, Karlsruhe and DrivingStereo publish them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .reading import read_text


def read_numbers(path: Path) -> dict[str, np.ndarray]:
    """The lines as float64 arrays; lines of other content are left out.

    Lines without a key are numbered P0, P1, ... as odometry's older files mean them.
    """
    numbers: dict[str, np.ndarray] = {}
    for line in read_text(path).splitlines():
        key, colon, rest = line.partition(":")
        if not colon:
            key, rest = f"P{len(numbers)}", line
        try:
            values = np.array([float(word) for word in rest.split()])
        except ValueError:
            continue
        if values.size:
            numbers[key.strip()] = values
    return numbers


def matrix(numbers: dict[str, np.ndarray], key: str, shape: tuple[int, ...], path: Path) -> np.ndarray:
    """One entry of `read_numbers` as an array of this shape. Raises ValueError naming the path without it."""
    if key not in numbers or numbers[key].size != np.prod(shape):
        got = f"{numbers[key].size} numbers" if key in numbers else f"only {sorted(numbers)}"
        raise ValueError(f"expected '{key}:' with {int(np.prod(shape))} numbers in {path}, got {got}; check the file")
    return numbers[key].reshape(shape)
