# SPDX-License-Identifier: Apache-2.0
"""One picture of a run: left image, disparity, depth, confidence and panoptic overlay at a few moments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from depth_runtime.drawing import colour_values, overlay_classes, palette
from depth_runtime.files.images import write_png

from ..bags.bag import BagMessage, read_bag
from ..messages import topics
from ..messages.definitions import COMPRESSED, DISPARITY, deserialize, has_header, header_stamp_ns
from ..messages.disparity_codec import disparity_array
from ..messages.image_codec import decompress, image_array, to_bgr
from .drawing import GAP, legend_bar, legend_labels, titled, write
from .truth import read_labels, read_pixels

COLUMNS = ("left image", "disparity", "depth", "confidence", "panoptic")
_TOPICS = (
    topics.LEFT_IMAGE,
    topics.DISPARITY,
    topics.DEPTH,
    topics.CONFIDENCE,
    topics.SEMANTIC,
    topics.INSTANCE,
)
TILE_WIDTH = 400


def moments(stamps: Sequence[int], count: int = 6) -> list[int]:
    """Stamps spread evenly from the first to the last."""
    if len(stamps) <= count:
        return list(stamps)
    return [stamps[round(i * (len(stamps) - 1) / (count - 1))] for i in range(count)]


def write_contact_sheet(bag: Path, stamps: Sequence[int], out: Path) -> None:
    """Draw the frames of the given stamps, one row each, from a bag with inputs and outputs.

    A map that was not published leaves its tile grey. Colours run over one range for the whole sheet. Raises OSError
    when the picture cannot be written.
    """
    frames = _read_frames(bag, set(stamps))
    labels = read_labels(bag, topics.LABELS)
    top_px = _top([f.get(topics.DISPARITY) for f in frames.values()], 99.5)
    top_m = min(_top([f.get(topics.DEPTH) for f in frames.values()], 90), 60.0)
    rows = [_row(frames[stamp], stamp, stamps[0], (top_px, top_m), labels) for stamp in stamps if stamp in frames]
    width = rows[0].shape[1] // len(COLUMNS)
    header = np.hstack([titled(title, width) for title in COLUMNS])
    legends = [
        np.full((64, width, 3), 255, np.uint8),
        legend_bar(width, "0 px", f"{top_px:.0f} px", partial(colour_values, top=1)),
        legend_bar(width, "0 m", f"{top_m:.0f} m", partial(colour_values, top=1, near_is_red=False)),
        legend_bar(width, "0", "1 = sure", _grey),
        np.full((64, width, 3), 255, np.uint8),
    ]
    key = legend_labels(header.shape[1], labels)
    sheet = np.vstack([header, *rows, np.hstack(legends), key])
    write_png(out, sheet)


def _read_frames(bag: Path, stamps: set[int]) -> dict[int, dict[str, np.ndarray]]:
    """Arrays by stamp and topic; the left image as RGB."""
    frames: dict[int, dict[str, np.ndarray]] = {}
    wanted = {*_TOPICS, topics.compressed(topics.LEFT_IMAGE)}
    for message in read_bag(bag, wanted):
        stamp_ns = header_stamp_ns(message.data) if has_header(message.msgtype) else -1
        if stamp_ns in stamps:
            frames.setdefault(stamp_ns, {})[topics.base(message.topic)] = _pixels(message)
    return frames


def _pixels(message: BagMessage) -> np.ndarray:
    if message.msgtype == DISPARITY:
        return disparity_array(deserialize(message.data, DISPARITY))
    if topics.base(message.topic) == topics.LEFT_IMAGE:
        picture = deserialize(message.data, message.msgtype)
        compressed = message.msgtype == COMPRESSED
        pixels, encoding = decompress(picture) if compressed else (image_array(picture), picture.encoding)
        return cv2.cvtColor(to_bgr(pixels, encoding), cv2.COLOR_BGR2RGB)
    pixels = read_pixels(message)
    if message.topic == topics.DEPTH and pixels.dtype == np.uint16:
        return np.where(pixels > 0, pixels * np.float32(1e-3), np.float32(np.nan))
    return pixels


def _top(maps: list[np.ndarray | None], percentile: float) -> float:
    values = [m[np.isfinite(m)][::7] for m in maps if m is not None]
    flat = np.concatenate(values) if values else np.zeros(0)
    return max(1.0, float(np.percentile(flat, percentile))) if flat.size else 1.0


def _coloured(values: np.ndarray | None, top: float, *, near_is_red: bool = True) -> np.ndarray | None:
    return None if values is None else colour_values(values, top, near_is_red=near_is_red)


def _grey(values: np.ndarray) -> np.ndarray:
    """Grey of a map over 0..1, invalid pixels black."""
    level = 255 * np.clip(np.where(np.isfinite(values), values, 0), 0, 1)
    return np.repeat(level.astype(np.uint8)[..., None], 3, axis=2)


def _overlay(
    left: np.ndarray | None, semantic: np.ndarray | None, instance: np.ndarray | None, labels: list[dict[str, Any]]
) -> np.ndarray | None:
    """Class colours over the left image, at its size; None without one of them."""
    if left is None or semantic is None:
        return None
    colors = palette({label["id"]: label["color"] for label in labels}, other=(60, 60, 60))
    size = left.shape[1], left.shape[0]
    classes = cv2.resize(semantic, size, interpolation=cv2.INTER_NEAREST)
    things = None if instance is None else cv2.resize(instance, size, interpolation=cv2.INTER_NEAREST)
    return overlay_classes(left, classes, things, colors, alpha=0.55)


def _row(
    frame: dict[str, np.ndarray], stamp_ns: int, first_ns: int, tops: tuple[float, float], labels: list[dict[str, Any]]
) -> np.ndarray:
    left, confidence = frame.get(topics.LEFT_IMAGE), frame.get(topics.CONFIDENCE)
    tiles = [
        left,
        _coloured(frame.get(topics.DISPARITY), tops[0]),
        _coloured(frame.get(topics.DEPTH), tops[1], near_is_red=False),
        None if confidence is None else _grey(confidence),
        _overlay(left, frame.get(topics.SEMANTIC), frame.get(topics.INSTANCE), labels),
    ]
    shape = next(tile.shape for tile in tiles if tile is not None)
    height = round(TILE_WIDTH * shape[0] / shape[1])
    drawn = []
    for tile in tiles:
        grey = np.full((height, TILE_WIDTH, 3), 128, np.uint8)
        small = grey if tile is None else cv2.resize(tile, (TILE_WIDTH, height), interpolation=cv2.INTER_AREA)
        drawn.append(cv2.copyMakeBorder(small, GAP, GAP, GAP, GAP, cv2.BORDER_CONSTANT, value=(255, 255, 255)))
    write(drawn[0], f"t = {(stamp_ns - first_ns) / 1e9:.1f} s", (GAP + 8, height - 6), outlined=True)
    return np.hstack(drawn)
