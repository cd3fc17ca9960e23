# SPDX-License-Identifier: Apache-2.0
"""The plain sequence folder (docs/bags.md): rectified pairs with calibration, time stamps and truth as files."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..camera import BASELINES, CalibrationError, StereoCamera
from ..spec import Label
from .disparity_png import MAX_PX, write_disparity
from .images import images_in, paired_by_name, write_png
from .reading import read_json, read_text

CALIBRATION, TIMES, LABELS = "calibration.json", "timestamps.txt", "labels.json"
_NUMBERS = ("fx", "fy", "cx_left", "cx_right", "cy", "baseline_m")
KEYS = ("width", "height", *_NUMBERS)
MAPS = ("disparity", "semantic", "instance")
# No stamp in seconds is as large, and whole nanoseconds are from 1973 on.
_NANOSECONDS_FROM = 10**17
# builtin_interfaces/Time holds 32 bits of seconds.
_SECONDS_BELOW = 2**31


@dataclass(frozen=True)
class SequenceFrame:
    """Files of one moment. maps: PNG by the name of its folder in MAPS; disparity_png.py says how truth is stored."""

    left: Path
    right: Path | None = None
    maps: dict[str, Path] = field(default_factory=dict)


def read_frames(folder: Path, partial: Collection[str] = ()) -> list[SequenceFrame]:
    """Frames of a folder with left/, in natural order of their names; right/ and MAPS are taken where they are.

    partial: names of MAPS that may lack frames. Raises ValueError naming a file that is missing.
    """
    if (folder / "right").is_dir():
        pairs: list[tuple[Path, Path | None]] = [*paired_by_name(folder / "left", folder / "right")]
    else:
        pairs = [(path, None) for path in images_in(folder / "left")]
    there = {name: {path.name for path in (folder / name).iterdir()} for name in MAPS if (folder / name).is_dir()}
    frames = [SequenceFrame(left, right) for left, right in pairs]
    for name, files in there.items():
        for frame in frames:
            path = folder / name / f"{frame.left.stem}.png"
            if path.name in files:
                frame.maps[name] = path
            elif name not in partial:
                raise ValueError(f"expected {path}, because the folder {name}/ is there, got no such file; add it")
    return frames


def read_calibration(folder: Path) -> StereoCamera | None:
    """The rectified pair of calibration.json with KEYS, None without the file; width and height may be left out.

    Raises ValueError naming the path.
    """
    path = folder / CALIBRATION
    if not path.is_file():
        return None
    values = read_json(path)
    needed = KEYS if isinstance(values, dict) and {"width", "height"} & set(values) else _NUMBERS
    if not isinstance(values, dict) or not set(needed) <= set(values):
        got = sorted(values) if isinstance(values, dict) else type(values).__name__
        raise ValueError(f"expected a JSON object with the keys {list(KEYS)} in {path}, got {got}; write it so")
    try:
        size = (int(values["height"]), int(values["width"])) if needed is KEYS else None
        camera = StereoCamera(**{name: float(values[name]) for name in _NUMBERS}, size=size)
        BASELINES.check(camera.baseline_m, "baseline_m")
        return camera
    except CalibrationError as error:
        raise CalibrationError(f"{path}: {error}") from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"expected numbers under the keys {list(KEYS)} in {path}, got {error}; correct it") from error


def read_labels(folder: Path) -> list[dict[str, Any]] | None:
    """The list of labels.json, each entry with an id 0..255 and a name, None without the file.

    Raises ValueError naming the path.
    """
    path = folder / LABELS
    if not path.is_file():
        return None
    labels = read_json(path)
    try:
        if any(not 0 <= int(entry["id"]) < 256 or not str(entry["name"]) for entry in labels):
            raise ValueError(f"ids {[entry['id'] for entry in labels]}")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"expected a JSON list of id 0..255 and name in {path}, got {error!r}; write it so") from error
    return labels


def read_stamps(path: Path, count: int) -> list[int]:
    """Stamps in nanoseconds, exact, of a text with one time per line: seconds, or whole nanoseconds.

    Raises ValueError naming the path for other text or another unit, when the lines are not `count`, or when the times
    do not grow.
    """
    try:
        times = [Decimal(line) for line in read_text(path).split()]
        if not all(time.is_finite() for time in times):
            raise InvalidOperation
    except InvalidOperation as error:
        raise ValueError(f"expected seconds, one per line, in {path}, got a line that is no number") from error
    if all(time >= _NANOSECONDS_FROM and time == time.to_integral_value() for time in times):
        return checked_stamps([int(time) for time in times], count, path)
    largest = max(times)
    if not largest < _SECONDS_BELOW:
        raise ValueError(
            f"expected seconds (or nanoseconds since 1970, all of them) in {path}, got {largest}: no stamp of ROS has "
            "as many seconds; is it milliseconds or microseconds? divide them"
        )
    return checked_stamps([int(time * 10**9) for time in times], count, path)


def checked_stamps(times_ns: list[int], count: int, path: Path) -> list[int]:
    """Times of a file after a look at their number and order.

    Raises ValueError when the number differs from `count` or times do not grow.
    """
    if len(times_ns) != count:
        raise ValueError(f"expected {count} times in {path}, one per image pair, got {len(times_ns)}; complete them")
    if any(b <= a for a, b in pairwise(times_ns)):
        raise ValueError(f"expected growing times in {path}, got a line that is not later than the one before")
    return times_ns


@dataclass(frozen=True)
class TrueFrame:
    """One stereo pair with its truth, to be written.

    left, right: uint8 [H, W, 3] RGB; disparity_px: float [H, W], 0 = none; semantic: uint8 [H, W];
    instance: uint16 [H, W], 0 = stuff.
    """

    left: np.ndarray
    right: np.ndarray
    disparity_px: np.ndarray
    semantic: np.ndarray
    instance: np.ndarray


def write_header(folder: Path, camera: StereoCamera, labels: Sequence[Label], seconds: Sequence[float]) -> None:
    """Write calibration.json, labels.json and timestamps.txt (one stamp in seconds per frame)."""
    height, width = camera.left.known_size()
    numbers = {"width": width, "height": height} | {name: getattr(camera, name) for name in _NUMBERS}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CALIBRATION).write_text(json.dumps(numbers, indent=2) + "\n")
    (folder / LABELS).write_text(json.dumps([asdict(label) for label in labels], indent=2) + "\n")
    (folder / TIMES).write_text("".join(f"{second:.6f}\n" for second in seconds))


def write_frame(folder: Path, index: int, frame: TrueFrame) -> None:
    """Write the PNG files of one frame. Raises ValueError for a disparity that 16 bit cannot hold."""
    low, high = frame.disparity_px.min(), frame.disparity_px.max()
    if not (low >= 0 and high < MAX_PX):
        raise ValueError(
            f"expected disparities 0..{MAX_PX:.0f} px, got {low:.1f}..{high:.1f} px; "
            "shorten the baseline or the focal length"
        )
    name = f"{index:06d}.png"
    write_disparity(folder / "disparity" / name, frame.disparity_px, compression=9)
    images = {"left": frame.left, "right": frame.right}
    images |= {"semantic": frame.semantic.astype(np.uint8), "instance": frame.instance.astype(np.uint16)}
    for kind, pixels in images.items():
        write_png(folder / kind / name, pixels, compression=9)
