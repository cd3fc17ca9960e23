# SPDX-License-Identifier: Apache-2.0
"""Archives of 512 px JPEG textures, from photos and computed images."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np

from .textures import SIZE

SUFFIXES = (".jpg", ".jpeg", ".png", ".tga", ".webp")
SMALLEST_PX, QUALITY = 200, 85


def square_crop(image: np.ndarray, rng: random.Random) -> np.ndarray:
    """uint8 [H, W, 3] -> uint8 [512, 512, 3]: a random square of at least 70 % of the short side."""
    h, w = image.shape[:2]
    side = int(min(h, w) * rng.uniform(0.7, 1.0))
    y, x = rng.randint(0, h - side), rng.randint(0, w - side)
    interpolation = cv2.INTER_AREA if side > SIZE else cv2.INTER_CUBIC
    return cv2.resize(image[y : y + side, x : x + side], (SIZE, SIZE), interpolation=interpolation)


def crops_of(folder: Path, count: int, rng: random.Random) -> Iterator[np.ndarray]:
    """`count` RGB crops from the images under a folder, in turn. Raises ValueError if none is large enough."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    rng.shuffle(paths)
    kept = last_use = 0
    for turn, path in enumerate(cycle(paths)):
        if kept == count or turn - last_use > len(paths):
            break
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is not None and min(image.shape[:2]) >= SMALLEST_PX:
            kept, last_use = kept + 1, turn
            yield square_crop(image[:, :, ::-1], rng)
    if kept < count:
        raise ValueError(
            f"expected images of at least {SMALLEST_PX} px under {folder}, got {len(paths)} files, none usable; "
            f"name a folder with {', '.join(SUFFIXES)}"
        )


def encode(image: np.ndarray) -> bytes:
    """uint8 [512, 512, 3] RGB -> JPEG."""
    return cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def write_encoded(path: Path, jpegs: list[bytes], categories: list[str], origins: list[str]) -> int:
    """Write JPEG textures of 512 x 512 for TextureBank.load; returns the bytes of image data."""
    offsets = np.cumsum([0] + [len(jpeg) for jpeg in jpegs])
    data = np.frombuffer(b"".join(jpegs), np.uint8)
    np.savez(path, data=data, offsets=offsets, categories=np.array(categories), origins=np.array(origins))
    return int(offsets[-1])


def write_archive(path: Path, images: list[np.ndarray], categories: list[str]) -> int:
    """Write textures (uint8 [512, 512, 3] RGB) for TextureBank.load; returns the bytes of image data."""
    return write_encoded(path, [encode(image) for image in images], categories, [""] * len(images))
