# SPDX-License-Identifier: Apache-2.0
"""What every folder layout is turned into: frames on disk with stamps and calibration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..messages.calibration import StereoCalibration

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".pgm", ".ppm", ".tif", ".tiff")
DEFAULT_HZ = 10.0
# Times that count from zero start here instead: stamp 0 means "not set" in ROS. A fixed instant keeps bags equal.
EPOCH_NS = 1_700_000_000 * 1_000_000_000
_RELATIVE_BELOW_NS = 100_000_000 * 1_000_000_000


class LayoutError(ValueError):
    """A folder is not what its layout promises; the message names the file and what was expected there."""


@dataclass(frozen=True)
class Frame:
    """One pair on disk. disparity: PNG, uint16, pixels * 256, 0 = no truth; instance: uint16, 0 = stuff."""

    stamp_ns: int
    left: Path
    right: Path
    calibration: StereoCalibration
    disparity: Path | None = None
    semantic: Path | None = None
    instance: Path | None = None


@dataclass(frozen=True)
class StereoSequence:
    """Frames in order of time."""

    layout: str
    frames: tuple[Frame, ...]
    labels: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Layout:
    """A registry entry: how to recognise a folder, and how to read it at a rate in Hz (None = as recorded)."""

    matches: Callable[[Path], bool]
    read: Callable[[Path, float | None], StereoSequence]
    expects: str


def images_in(folder: Path) -> list[Path]:
    """Image files of a folder in order of name.

    Raises LayoutError when the folder is missing or has no image.
    """
    if not folder.is_dir():
        raise LayoutError(f"expected a folder of images at {folder}, got nothing there")
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise LayoutError(f"expected images ({', '.join(IMAGE_SUFFIXES)}) in {folder}, got none")
    return files


def pair_by_name(left_folder: Path, right_folder: Path) -> list[tuple[Path, Path]]:
    """Left and right images with the same name (the suffix may differ).

    Raises LayoutError naming the first left image without a right one, or the other way round.
    """
    left = {p.stem: p for p in images_in(left_folder)}
    right = {p.stem: p for p in images_in(right_folder)}
    for here, there, folder in ((left, right, right_folder), (right, left, left_folder)):
        missing = sorted(set(here) - set(there))
        if missing:
            raise LayoutError(
                f"expected an image named {missing[0]} in {folder} to match {here[missing[0]]}, got none "
                f"({len(missing)} missing in all); remove the unpaired images or add their partners"
            )
    return [(left[stem], right[stem]) for stem in sorted(left)]


def matching(folder: Path, stem: str) -> Path | None:
    """The PNG of a frame in an optional truth folder, None when the folder is absent.

    Raises LayoutError when the folder is there but not the file.
    """
    if not folder.is_dir():
        return None
    path = folder / f"{stem}.png"
    if not path.is_file():
        raise LayoutError(f"expected {path}, because the folder {folder} is there, got no such file")
    return path


def image_size(path: Path) -> tuple[int, int]:
    """(height, width) of an image file.

    Raises LayoutError when it cannot be decoded.
    """
    return read_image(path).shape[:2]


def read_image(path: Path) -> np.ndarray:
    """Pixels of an image file as stored: [H, W] or [H, W, 3] BGR, 8 or 16 bits.

    Raises LayoutError when it cannot be decoded.
    """
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise LayoutError(f"expected an image at {path}, got a file that does not decode; copy it again")
    return image[..., :3] if image.ndim == 3 else image


def stamps_at(count: int, rate_hz: float | None) -> list[int]:
    """Stamps in nanoseconds of `count` frames at a fixed rate."""
    return [EPOCH_NS + round(i * 1e9 / (rate_hz or DEFAULT_HZ)) for i in range(count)]


def read_seconds(path: Path, count: int, rate_hz: float | None) -> list[int]:
    """Stamps in nanoseconds from a text file of seconds, one per line, or at a rate when that is given.

    Decimal keeps nanoseconds exact. Times that count from zero are moved to EPOCH_NS. A missing file means
    DEFAULT_HZ. Raises LayoutError when the number of lines is not `count`, or times do not grow.
    """
    if rate_hz is not None or not path.is_file():
        return stamps_at(count, rate_hz)
    try:
        times = [int(Decimal(line) * 10**9) for line in path.read_text(encoding="utf-8").split()]
    except (InvalidOperation, ValueError) as error:
        raise LayoutError(f"expected seconds, one per line, in {path}, got a line that is no number") from error
    return checked_stamps(times, count, path)


def checked_stamps(times_ns: list[int], count: int, path: Path) -> list[int]:
    """Times of a file as stamps, after a look at their number and order.

    Raises LayoutError when the number differs from `count` or times do not grow.
    """
    if len(times_ns) != count:
        raise LayoutError(f"expected {count} times in {path}, one per image pair, got {len(times_ns)}")
    if any(b <= a for a, b in pairwise(times_ns)):
        raise LayoutError(f"expected growing times in {path}, got a line that is not later than the one before")
    if times_ns and times_ns[0] < _RELATIVE_BELOW_NS:
        return [EPOCH_NS + t for t in times_ns]
    return times_ns


def read_matrices(path: Path) -> dict[str, np.ndarray]:
    """The "key: numbers" lines of a KITTI or Karlsruhe calibration file.

    Lines whose value is not made of numbers are left out. Raises LayoutError when the file is missing.
    """
    if not path.is_file():
        raise LayoutError(f"expected the calibration file {path}, got none; copy it there")
    matrices = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, _, values = line.partition(":")
        try:
            matrices[key.strip()] = np.array([float(v) for v in values.split()])
        except ValueError:
            continue
    return matrices


def projection(matrices: dict[str, np.ndarray], key: str, path: Path) -> np.ndarray:
    """A 3x4 projection matrix by key.

    Raises LayoutError when it is missing or has not 12 numbers.
    """
    if key not in matrices or matrices[key].size != 12:
        raise LayoutError(f"expected 12 numbers under '{key}:' in {path}, got the keys {sorted(matrices)}")
    return matrices[key].reshape(3, 4)
