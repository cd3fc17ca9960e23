# SPDX-License-Identifier: Apache-2.0
"""Group pixels of thing classes into instances from centre heat map and offsets.

Source: Cheng et al., Panoptic-DeepLab (CVPR 2020), section 3.3: keypoint non-maximum suppression, then
every thing pixel joins the centre nearest to the point it votes for.
"""

from __future__ import annotations

import cv2
import numpy as np

CENTER_THRESHOLD = 0.3
NMS_WINDOW = 11
# A peak that itself votes for a place farther away than this is part of another instance.
CENTER_VOTE_CELLS = 4.0
MOST_INSTANCES = 128


def find_centers(
    heat: np.ndarray,
    threshold: float = CENTER_THRESHOLD,
    window: int = NMS_WINDOW,
    most: int = MOST_INSTANCES,
) -> np.ndarray:
    """Local maxima of the centre heat map, strongest first.

    heat: float32 [h, w] in 0..1. Returns float32 [N, 2] as (x, y) in cells, N <= most.
    """
    peaks = (heat >= threshold) & (heat == cv2.dilate(heat, np.ones((window, window), np.uint8)))
    y, x = np.nonzero(peaks)
    order = np.argsort(-heat[y, x], kind="stable")[:most]
    return np.stack((x[order], y[order]), 1).astype(np.float32)


def group_instances(
    heat: np.ndarray,
    offset: np.ndarray,
    things: np.ndarray,
    threshold: float = CENTER_THRESHOLD,
    window: int = NMS_WINDOW,
) -> np.ndarray:
    """Instance ids uint16 [h, w]: 0 = stuff, 1..N in order of centre strength.

    heat: float32 [h, w] in 0..1; offset: float32 [2, h, w], (dx, dy) from a cell to its instance centre in cells;
    things: bool [h, w], True on cells of countable classes. Without a centre every cell is 0.
    """
    instances = np.zeros(heat.shape, np.uint16)
    centers = find_centers(np.where(things, heat, 0).astype(np.float32), threshold, window)
    peak_x, peak_y = centers.astype(int).T
    centers = centers[np.hypot(*offset[:, peak_y, peak_x]) <= CENTER_VOTE_CELLS]
    y, x = np.nonzero(things)
    if not len(centers) or not len(x):
        return instances
    vote_x, vote_y = x + offset[0, y, x], y + offset[1, y, x]
    # |v - c|^2 without its |v|^2 term, which is the same for every centre.
    distance = (centers**2).sum(1)[:, None] - 2 * (centers[:, :1] * vote_x + centers[:, 1:] * vote_y)
    instances[y, x] = distance.argmin(0) + 1
    return instances
