# SPDX-License-Identifier: Apache-2.0
"""The region image: the regions of a view in a form that a network can read and a small one can learn.

Every region has the mean colour of its pixels, every channel at least 1, and its border to other regions is black.
Colours of ids (hashed or by rank) would show the same borders, but no network could predict them from the view, so
the light branch could not learn from them, and neighbours in a crop would change colour with the rest of the view.
Mean colours alone would hide the border of two regions of equal colour, so borders are drawn. Black is a border and
nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

ENCODING = 1  # part of the cache key: a change of the picture makes stored ones stale


def region_ids(masks: Sequence[np.ndarray], height: int, width: int) -> np.ndarray:
    """int32 [H, W]: each pixel's region from 1 on; what no mask covers is divided into its connected parts.

    masks: bool [H, W] each, overlapping as they like; the smaller one lies on top. Their order plays no part.
    """
    ids = np.zeros((height, width), np.int32)
    for number, mask in enumerate(sorted(masks, key=_by_size), start=1):
        ids[mask] = number
    _, rest = cv2.connectedComponents((ids == 0).astype(np.uint8), connectivity=4)
    return np.where(ids > 0, ids, rest + len(masks))


def _by_size(mask: np.ndarray) -> tuple[int, bytes]:
    """Large to small; equal sizes by content."""
    return -int(mask.sum()), np.packbits(mask).tobytes()


def borders(ids: np.ndarray) -> np.ndarray:
    """bool [H, W]: pixels whose right or lower neighbour belongs to another region."""
    edge = np.zeros(ids.shape, bool)
    edge[:, :-1] |= ids[:, :-1] != ids[:, 1:]
    edge[:-1] |= ids[:-1] != ids[1:]
    return edge


def region_image(image: np.ndarray, masks: Sequence[np.ndarray]) -> np.ndarray:
    """The region image uint8 [H, W, 3] RGB of a view uint8 [H, W, 3] RGB and its masks (see region_ids)."""
    ids = region_ids(masks, *image.shape[:2])
    return _painted(image, ids, borders(ids))


def repaint(regions: np.ndarray, image: np.ndarray) -> np.ndarray:
    """The region image of the same regions in a view of other colours, as an augmented one is.

    Both uint8 [H, W, 3]; regions of exactly the same colour become one. Without it a network would see the true colours
    of a recoloured view, which it never does where masks are made of what the camera sees.
    """
    ids = _ids_of(regions)
    return _painted(image, np.maximum(ids, 0), ids < 0)


def shrunk_regions(regions: np.ndarray, view: np.ndarray, factor: int) -> np.ndarray:
    """The region image of the same regions in the view at 1/factor of the size, its borders one pixel wide.

    regions uint8 [H, W, 3], view uint8 [H // factor, W // factor, 3]. A cell belongs to the region nearest to its
    middle, so that a border, which is as thin as a pixel, neither vanishes by chance nor covers a cell.
    """
    height, width = view.shape[:2]
    ids = _ids_of(regions[: height * factor, : width * factor])
    cells = ids.reshape(height, factor, width, factor).swapaxes(1, 2).reshape(height, width, -1)
    rows, columns = np.divmod(np.arange(factor * factor), factor)
    middle = (factor - 1) / 2
    cells = cells[..., np.argsort((rows - middle) ** 2 + (columns - middle) ** 2, kind="stable")]
    nearest = (cells >= 0).argmax(-1)[..., None]
    shrunk = np.take_along_axis(cells, nearest, -1)[..., 0]
    return _painted(view, np.maximum(shrunk, 0), borders(shrunk) | (shrunk < 0))


def _ids_of(regions: np.ndarray) -> np.ndarray:
    """The regions' ids from 0 on, int [H, W], -1 on the border."""
    packed = regions.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    _, ids = np.unique(packed, return_inverse=True)
    return np.where(packed == 0, -1, ids.reshape(packed.shape))


def _painted(image: np.ndarray, ids: np.ndarray, black: np.ndarray) -> np.ndarray:
    """Each region (ids int [H, W]) in its mean colour, `black` (bool [H, W]) in black."""
    count = np.maximum(np.bincount(ids.ravel()), 1)
    sums = [np.bincount(ids.ravel(), image[..., channel].ravel().astype(np.float64)) for channel in range(3)]
    colours = np.clip(np.round(np.stack(sums, 1) / count[:, None]), 1, 255).astype(np.uint8)
    return np.where(black[..., None], np.uint8(0), colours[ids])
