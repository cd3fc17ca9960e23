# SPDX-License-Identifier: Apache-2.0
"""Which pictures are textures of surfaces, cut to squares of the bank's size, without near-duplicates."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import PurePosixPath

import cv2
import numpy as np

from ..textures import SIZE
from .kinds import is_surface, kind_of
from .pictures import Picture

SMALLEST_PX, LONGEST_RATIO = 256, 4.0  # short side; long side over short side
PHOTO_PX, CROPS_OF_PHOTO = 1000, 4  # pictures above this short side give several crops
DARKEST, CONTRAST_LEVELS, DETAIL_LEVELS, FLAT_FRACTION, EMPTY_FRACTION = 20.0, 6.0, 1.6, 0.5, 0.15
HASH_SIDE, NEAR_BITS = 16, 36  # of 256 bits


@dataclass(frozen=True)
class Texture:
    """A square texture, uint8 [512, 512, 3] RGB, its category and the path it came from."""

    image: np.ndarray
    kind: str
    path: str


class Seen:
    """Remembers pictures by a difference hash of their grey values."""

    def __init__(self) -> None:
        self._hashes = np.zeros((0, HASH_SIDE * HASH_SIDE // 8), np.uint8)

    def is_new(self, image: np.ndarray) -> bool:
        """False when a picture that differs in less than NEAR_BITS bits was shown before; remembers it otherwise."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, (HASH_SIDE + 1, HASH_SIDE), interpolation=cv2.INTER_AREA).astype(int)
        bits = np.packbits(small[:, 1:] > small[:, :-1])
        distance = np.unpackbits(self._hashes ^ bits, axis=1).sum(1)
        if len(distance) and distance.min() < NEAR_BITS:
            return False
        self._hashes = np.concatenate((self._hashes, bits[None]))
        return True


def square(image: np.ndarray, rng: random.Random, fraction: float) -> np.ndarray:
    """A random square of `fraction` of the short side, resized to uint8 [512, 512, 3]."""
    h, w = image.shape[:2]
    side = max(1, int(min(h, w) * fraction))
    y, x = rng.randint(0, h - side), rng.randint(0, w - side)
    interpolation = cv2.INTER_AREA if side > SIZE else cv2.INTER_CUBIC
    return cv2.resize(image[y : y + side, x : x + side], (SIZE, SIZE), interpolation=interpolation)


def shows_surface(image: np.ndarray) -> bool:
    """False for nearly black, uniform, blurred, drawn or normal-map pictures, uint8 [512, 512, 3] RGB."""
    small = cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA).astype(np.float32)
    grey = small.mean(-1)
    r, g, b = small.reshape(-1, 3).mean(0)
    is_normal_map = b > 180 and abs(r - 128) < 25 and abs(g - 128) < 25
    full = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = np.abs(full - cv2.GaussianBlur(full, (0, 0), 2)).mean()
    steps = np.maximum(np.abs(np.diff(grey, axis=0))[:, :-1], np.abs(np.diff(grey, axis=1))[:-1])
    is_flat = (steps < 0.75).mean() > FLAT_FRACTION
    # Sheets of parts lie on black or white; masks for shaders use red and blue.
    is_sheet = max((grey < 8).mean(), (grey > 247).mean()) > EMPTY_FRACTION
    is_mask = g < 0.3 * max(r, b)
    if is_normal_map or is_flat or is_sheet or is_mask:
        return False
    return bool(grey.mean() > DARKEST and grey.std() > CONTRAST_LEVELS and detail > DETAIL_LEVELS)


def in_turn(pictures: Sequence[Picture], rng: random.Random) -> list[Picture]:
    """Surfaces by name, one of each folder in turn, each folder shuffled."""
    folders: dict[str, list[Picture]] = {}
    for picture in pictures:
        if is_surface(picture.path):
            folders.setdefault(PurePosixPath(picture.path).parent.as_posix(), []).append(picture)
    for members in folders.values():
        rng.shuffle(members)
    return [picture for turn in zip_longest(*folders.values()) for picture in turn if picture is not None]


def _cuts(image: np.ndarray, photographs: bool, rng: random.Random) -> list[np.ndarray]:
    """Squares of one picture: a surface whole, a large photograph in several crops at full detail."""
    short, long = sorted(image.shape[:2])
    if short < SMALLEST_PX or long > LONGEST_RATIO * short:
        return []
    if not photographs or short < PHOTO_PX:
        return [square(image, rng, 1.0)]
    return [square(image, rng, rng.uniform(max(0.25, SIZE / short), 0.8)) for _ in range(CROPS_OF_PHOTO)]


def textures_of(pictures: Sequence[Picture], photographs: bool, seen: Seen, rng: random.Random) -> Iterator[Texture]:
    """Distinct surface textures of some pictures; the further crops of photographs come last."""
    later: list[Texture] = []
    for picture in in_turn(pictures, rng):
        image = picture.read()
        if image is None:
            continue
        cuts = [cut for cut in _cuts(image, photographs, rng) if shows_surface(cut) and seen.is_new(cut)]
        kind = "photo" if photographs else kind_of(picture.path)
        found = [Texture(cut, kind, picture.path) for cut in cuts]
        later += found[1:]
        yield from found[:1]
    yield from later
