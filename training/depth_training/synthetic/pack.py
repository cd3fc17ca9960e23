# SPDX-License-Identifier: Apache-2.0
"""Packs photo folders and procedural textures into one archive of 512 px JPEG textures.

python -m depth_training.synthetic.pack OUT.npz [COUNT:FOLDER ...] [--procedural 120] [--seed 0]

From every folder COUNT square crops are taken in turn from its images (recursively), so that some thousand
photos fit into a few tens of megabytes. Keep photos of evaluation pairs out of the folders.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from .procedural import make_textures
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


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="archive to write, .npz")
    parser.add_argument("sources", nargs="*", help="COUNT:FOLDER of photos")
    parser.add_argument("--procedural", type=int, default=0, help="number of computed textures to add")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    rng = random.Random(args.seed)
    images, categories = make_textures(args.procedural, args.seed)
    for source in args.sources:
        count, separator, folder = source.partition(":")
        if not (separator and count.isdigit()):
            parser.error(f"expected COUNT:FOLDER, got '{source}'; for example 200:photos")
        photos = list(tqdm(crops_of(Path(folder), int(count), rng), total=int(count), desc=folder, unit="photo"))
        images, categories = images + photos, categories + ["photo"] * len(photos)
    if not images:
        parser.error("expected at least one source, got none; name COUNT:FOLDER or --procedural COUNT")
    size = write_archive(args.out, images, categories)
    print(f"{len(images)} textures, {size / 1e6:.1f} MB: {args.out}")


if __name__ == "__main__":
    main()
