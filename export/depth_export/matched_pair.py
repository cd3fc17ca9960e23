# SPDX-License-Identifier: Apache-2.0
"""A small textured stereo scene with known disparity, for gates that need matches but no data."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np


class MatchedPair(NamedTuple):
    """left, right: uint8 [H, W, 3] RGB; disparity_px float32 [H, W] of the left view; regions: uint8 [H, W, 3], the
    surfaces of the left view, each in its mean colour."""

    left: np.ndarray
    right: np.ndarray
    disparity_px: np.ndarray
    regions: np.ndarray

    def images(self) -> dict[str, np.ndarray]:
        """What every input of a network sees, by the names of depth_runtime.spec.INPUTS."""
        return {"left": self.left, "right": self.right, "image": self.left, "regions": self.regions}


def matched_pair(height: int, width: int, seed: int = 0) -> MatchedPair:
    """A slanted ground below a far wall with two boxes in front, all with texture of several scales."""
    rng = np.random.default_rng(seed)
    disparity = np.full((height, width), 0.02 * width, np.float32)
    horizon = height // 3
    surface = np.zeros((height, width), np.uint8)
    surface[horizon:] = 1
    disparity[horizon:] += (np.linspace(0, 0.07, height - horizon, dtype=np.float32) * width)[:, None]
    boxes = ((0.45, 0.35, 0.2, 0.35, 0.05), (0.72, 0.45, 0.15, 0.4, 0.08))
    for number, (x, y, w, h, px) in enumerate(boxes, 2):
        rows, columns = slice(int(y * height), int((y + h) * height)), slice(int(x * width), int((x + w) * width))
        surface[rows, columns][disparity[rows, columns] < px * width] = number
        disparity[rows, columns] = np.maximum(disparity[rows, columns], px * width)
    right = _texture(height, width, rng)
    grid_y, grid_x = np.mgrid[:height, :width].astype(np.float32)
    left = cv2.remap(right, grid_x - disparity, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    left, right = (np.clip(i + rng.normal(0, 2, i.shape), 0, 255).astype(np.uint8) for i in (left, right))
    return MatchedPair(left, right, disparity, _mean_colours(left, surface))


def _mean_colours(image: np.ndarray, ids: np.ndarray) -> np.ndarray:
    picture = np.zeros_like(image)
    for number in np.unique(ids):
        picture[ids == number] = image[ids == number].mean(0).round()
    return picture


def _texture(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    total = np.full((height, width, 3), 110, np.float32)
    for cell in (4, 8, 16, 48, 96):
        coarse = rng.normal(0, 22, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return total
