# SPDX-License-Identifier: Apache-2.0
"""What every folder layout is turned into: frames on disk with stamps and calibration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from depth_runtime.camera import CalibrationError, StereoCamera
from depth_runtime.files.images import read_pixels
from depth_runtime.files.kitti_calibration import matrix, read_numbers
from depth_runtime.files.sequence_folder import read_stamps

DEFAULT_HZ = 10.0
# Times that count from zero start here instead: stamp 0 means "not set" in ROS. A fixed instant keeps bags equal.
EPOCH_NS = 1_700_000_000 * 1_000_000_000
_RELATIVE_BELOW_NS = 100_000_000 * 1_000_000_000


class LayoutError(ValueError):
    """A folder is not what its layout promises; the message names the file and what was expected there."""


@dataclass(frozen=True)
class StampedFrame:
    """One pair on disk. disparity: PNG, uint16, pixels * 256, 0 = no truth; instance: uint16, 0 = stuff."""

    stamp_ns: int
    left: Path
    right: Path
    camera: StereoCamera
    disparity: Path | None = None
    semantic: Path | None = None
    instance: Path | None = None


@dataclass(frozen=True)
class StereoSequence:
    """Frames in order of time."""

    layout: str
    frames: tuple[StampedFrame, ...]
    labels: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class FolderLayout:
    """A registry entry: how to recognise a folder, and how to read it at a rate in Hz (None = as recorded)."""

    matches: Callable[[Path], bool]
    read: Callable[[Path, float | None], StereoSequence]
    expects: str


def image_size(path: Path) -> tuple[int, int]:
    """(height, width) of an image file. Raises ValueError when it cannot be decoded."""
    return read_pixels(path).shape[:2]


def stamps_at(count: int, rate_hz: float | None) -> list[int]:
    """Stamps in nanoseconds of `count` frames at a fixed rate."""
    return [EPOCH_NS + round(i * 1e9 / (rate_hz or DEFAULT_HZ)) for i in range(count)]


def placed_stamps(times_ns: list[int]) -> list[int]:
    """Times as stamps: those that count from zero are moved to EPOCH_NS."""
    if times_ns and times_ns[0] < _RELATIVE_BELOW_NS:
        return [EPOCH_NS + t for t in times_ns]
    return times_ns


def recorded_stamps(path: Path, count: int, rate_hz: float | None) -> list[int]:
    """Stamps in nanoseconds of a file of times (sequence_folder.read_stamps); at a rate when that is given.

    A missing file means DEFAULT_HZ. Raises ValueError naming the path when the times do not fit the frames.
    """
    if rate_hz is not None or not path.is_file():
        return stamps_at(count, rate_hz)
    return placed_stamps(read_stamps(path, count))


def rectified_pair(path: Path, keys: tuple[str, str], image: Path) -> StereoCamera:
    """The pair of a calibration text by the keys of its two projection matrices; `image` tells the size.

    Raises CalibrationError naming the path as StereoCamera.from_projections does, and ValueError without one of the
    matrices.
    """
    numbers = read_numbers(path)
    left, right = (matrix(numbers, key, (3, 4), path) for key in keys)
    try:
        return StereoCamera.from_projections(left, right, image_size(image))
    except CalibrationError as error:
        raise CalibrationError(f"{path}: {error}") from error
