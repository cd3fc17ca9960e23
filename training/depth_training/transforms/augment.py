# SPDX-License-Identifier: Apache-2.0
"""Random views of recorded stereo pairs, as RAFT-Stereo (Lipson et al., 3DV 2021) and its successors train on them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..data import Sample
from .colour import recolour
from .geometry import crop_sample, flip_sample, scale_sample
from .regions import repaint


@dataclass(frozen=True)
class StereoAugmentation:
    """How much a view may differ from the pair; all chances 0..1, sizes in pixels of the view.

    scale_octaves: range of log2 of the scale; stretch_octaves: largest log2 of a further factor of one axis.
    colour: strength of the change that both eyes share, 0 = none; colour_asymmetric: of each eye's own, which a pair
    gets with chance_asymmetric. misalign_px: largest vertical shift and, once more, tilt of the right view.
    """

    scale_octaves: tuple[float, float] = (-0.3, 0.5)
    stretch_octaves: float = 0.2
    chance_stretch: float = 0.8
    chance_flip: float = 0.5
    colour: float = 1.0
    colour_asymmetric: float = 0.5
    chance_asymmetric: float = 0.3
    chance_erase: float = 0.5
    erase_px: tuple[int, int] = (50, 100)
    chance_misalign: float = 0.3
    misalign_px: float = 0.7


def augment_stereo(
    sample: Sample, height: int, width: int, rng: np.random.Generator, config: StereoAugmentation | None = None
) -> Sample:
    """A random view of `height` x `width` pixels of a pair; the truth is exact for it.

    A pair is only flipped where the right view has truth and neither labels nor regions would be lost. Raises
    ValueError for a sample without a right view.
    """
    if sample.right is None:
        raise ValueError(f"expected a stereo pair, got one view in '{sample.name}'; choose a stereo data set")
    config = config or StereoAugmentation()
    view = _random_window(sample, height, width, rng, config)
    flippable = view.right_disparity_px is not None and view.semantic is None and view.regions is None
    if flippable and rng.random() < config.chance_flip:
        view = flip_sample(view)
    left, right = recolour_pair(view.left, view.right, rng, config)
    regions = None if view.regions is None else repaint(view.regions, left)
    if rng.random() < config.chance_misalign:
        right = misalign(right, *rng.uniform(-config.misalign_px, config.misalign_px, 2))
    if rng.random() < config.chance_erase:
        right = erase(right, rng, config.erase_px)
    return replace(view, left=left, right=right, regions=regions)


def _random_window(
    sample: Sample, height: int, width: int, rng: np.random.Generator, config: StereoAugmentation
) -> Sample:
    """Scale (at least so far that the window fits) and crop."""
    octave = rng.uniform(*config.scale_octaves)
    stretch = rng.uniform(-config.stretch_octaves, config.stretch_octaves, 2) * (rng.random() < config.chance_stretch)
    rows, columns = sample.left.shape[:2]
    new_rows, new_columns = (
        max(smallest, round(size * 2 ** (octave + more)))
        for smallest, size, more in zip((height, width), (rows, columns), stretch, strict=True)
    )
    if (new_rows, new_columns) != (rows, columns):
        sample = scale_sample(sample, new_rows, new_columns)
    top, first = (int(rng.integers(size + 1)) for size in (new_rows - height, new_columns - width))
    return crop_sample(sample, top, first, height, width)


def recolour_pair(
    left: np.ndarray, right: np.ndarray, rng: np.random.Generator, config: StereoAugmentation
) -> tuple[np.ndarray, np.ndarray]:
    """One random exposure, gamma and colour for both eyes, then for some pairs a smaller one for each eye."""
    both = recolour(np.concatenate((left, right), axis=1), rng, config.colour)
    left, right = both[:, : left.shape[1]], both[:, left.shape[1] :]
    if rng.random() < config.chance_asymmetric:
        left, right = (recolour(image, rng, config.colour_asymmetric) for image in (left, right))
    return np.ascontiguousarray(left), np.ascontiguousarray(right)


def misalign(image: np.ndarray, shift_px: float, tilt_px: float) -> np.ndarray:
    """The image moved down by shift_px in the middle, by tilt_px more at its right border, less at its left one."""
    middle = (image.shape[1] - 1) / 2
    slope = tilt_px / max(middle, 1)
    matrix = np.array([[1, 0, 0], [slope, 1, shift_px - slope * middle]], np.float64)
    return cv2.warpAffine(image, matrix, image.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def erase(image: np.ndarray, rng: np.random.Generator, size_px: tuple[int, int]) -> np.ndarray:
    """The image with one or two rectangles of its mean colour: what the left eye sees there has no match."""
    image, mean = image.copy(), image.mean((0, 1)).round()
    for _ in range(rng.integers(1, 3)):
        top, first = rng.integers(image.shape[0]), rng.integers(image.shape[1])
        tall, wide = rng.integers(size_px[0], size_px[1] + 1, 2)
        image[top : top + tall, first : first + wide] = mean
    return image
