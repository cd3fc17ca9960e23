# SPDX-License-Identifier: Apache-2.0
"""Scale, crop and flip of stereo samples: images, truth and calibration move together and stay exact."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from ..data import Sample
from ..data.occlusion import occluded_by_check

_MAPS = (
    *("left", "right", "disparity_px", "right_disparity_px", "occluded"),
    *("semantic", "instance", "depth_m", "regions"),
)
_SMOOTH_PX = 1.0  # surfaces whose disparity changes by less between neighbours are interpolated


def scale_sample(sample: Sample, height: int, width: int) -> Sample:
    """The sample at another size in pixels; disparity is multiplied by the ratio of the widths.

    Labels, depth and regions take the nearest pixel; disparity is interpolated on smooth surfaces and takes the
    nearest pixel at edges and where neighbours are unknown.
    """
    rows, columns = sample.left.shape[:2]
    size, scale_x = (width, height), width / columns
    shrinks = width * height < columns * rows

    def image(pixels: np.ndarray) -> np.ndarray:
        return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)

    def nearest(values: np.ndarray) -> np.ndarray:
        return cv2.resize(values, size, interpolation=cv2.INTER_NEAREST_EXACT)

    def disparity(values_px: np.ndarray) -> np.ndarray:
        return np.float32(scale_x) * _resize_surfaces(values_px, size)

    kinds: dict[str, Any] = dict.fromkeys(_MAPS, nearest) | dict.fromkeys(("left", "right"), image)
    kinds |= dict.fromkeys(("disparity_px", "right_disparity_px"), disparity)
    kinds["occluded"] = lambda mask: nearest(mask.astype(np.uint8)).astype(bool)
    maps = {name: None if getattr(sample, name) is None else kinds[name](getattr(sample, name)) for name in _MAPS}
    return replace(
        sample,
        **maps,
        camera=sample.camera and sample.camera.resized((height, width)),
        neighbours=tuple(image(pixels) for pixels in sample.neighbours),
    )


def _resize_surfaces(disparity_px: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """float32 [H, W] with NaN -> the same at size (width, height), not yet multiplied by the scale."""
    unknown, around = np.isnan(disparity_px), np.ones((3, 3), np.uint8)
    highest = cv2.dilate(np.where(unknown, np.float32(-np.inf), disparity_px), around)
    lowest = cv2.erode(np.where(unknown, np.float32(np.inf), disparity_px), around)
    # A pixel with nothing known around it gives -inf - inf, where linear is NaN anyway.
    with np.errstate(over="ignore", invalid="ignore"):
        span = highest - lowest
    smooth = cv2.resize(span, size, interpolation=cv2.INTER_NEAREST_EXACT) < _SMOOTH_PX
    linear = cv2.resize(disparity_px, size, interpolation=cv2.INTER_LINEAR)
    nearest = cv2.resize(disparity_px, size, interpolation=cv2.INTER_NEAREST_EXACT)
    return np.where(smooth & np.isfinite(linear), linear, nearest)


def crop_sample(sample: Sample, top: int, first: int, height: int, width: int) -> Sample:
    """The window of `height` x `width` pixels from row `top` and column `first`, the same in both views.

    Raises ValueError when the window leaves the image.
    """
    rows, columns = sample.left.shape[:2]
    if not (0 <= top <= rows - height and 0 <= first <= columns - width):
        raise ValueError(
            f"expected a window inside {columns} x {rows}, got {width} x {height} at ({first}, {top}) in "
            f"'{sample.name}'; scale the sample up or choose a smaller window"
        )
    window = (slice(top, top + height), slice(first, first + width))
    maps = {name: None if getattr(sample, name) is None else getattr(sample, name)[window] for name in _MAPS}
    camera = sample.camera and sample.camera.cropped(top, first, (height, width))
    return replace(sample, **maps, camera=camera, neighbours=tuple(pixels[window] for pixels in sample.neighbours))


def random_window(sample: Sample, height: int, width: int, rng: np.random.Generator) -> Sample:
    """A random window of a stereo sample, at the same place in both views, so that disparities stay as they are.

    Raises ValueError for a sample without a right view or smaller than the window.
    """
    rows, columns = sample.left.shape[:2]
    if sample.right is None or rows < height or columns < width:
        raise ValueError(
            f"expected a stereo pair of at least {width}x{height}, got {columns}x{rows} in '{sample.name}'; "
            "choose a stereo data set or a smaller data.height and data.width"
        )
    top, first = int(rng.integers(rows - height + 1)), int(rng.integers(columns - width + 1))
    return crop_sample(sample, top, first, height, width)


def flip_sample(sample: Sample) -> Sample:
    """The mirrored pair: the mirrored right view becomes the left one, so that disparities stay positive.

    Truth of the right view becomes that of the left one; labels, depth, regions, pose and neighbours belong to the
    old left view and are dropped. Raises ValueError for a sample without truth of the right view.
    """
    if sample.right is None or sample.right_disparity_px is None:
        raise ValueError(f"expected true disparity of the right view to flip '{sample.name}', got none; do not flip it")

    def mirrored(values: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(values[:, ::-1])

    left_px = mirrored(sample.right_disparity_px)
    right_px = None if sample.disparity_px is None else mirrored(sample.disparity_px)
    return Sample(
        left=mirrored(sample.right),
        right=mirrored(sample.left),
        disparity_px=left_px,
        right_disparity_px=right_px,
        occluded=None if right_px is None else occluded_by_check(left_px, right_px),
        camera=sample.camera and sample.camera.flipped(),
        name=f"{sample.name} flipped",
    )
