# SPDX-License-Identifier: Apache-2.0
"""Ground truth of a bag by stamp: disparity, depth, semantic ids; and labels and geometry that belong to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..bags.bag import BagMessage, bag_topics, read_bag
from ..messages import topics
from ..messages.definitions import CAMERA_INFO, COMPRESSED, DISPARITY, deserialize, header_stamp_ns
from ..messages.disparity_codec import disparity_array, from_png
from ..messages.image_codec import decompress, image_array


@dataclass(frozen=True)
class Geometry:
    """fx in pixels at the given width, baseline in metres, shift cx_left - cx_right in pixels."""

    width: int
    focal_px: float
    baseline_m: float
    shift_px: float

    def shift_at(self, width: int) -> float:
        """cx_left - cx_right for images of another width."""
        return self.shift_px * width / self.width


def stereo_geometry(path: Path) -> Geometry | None:
    """Geometry from the first two camera infos of a bag, None when it has not both of them."""
    infos: dict[str, Any] = {}
    wanted = {topics.LEFT_INFO, topics.RIGHT_INFO}
    if not wanted <= set(bag_topics(path)):
        return None
    for message in read_bag(path, wanted):
        if message.msgtype == CAMERA_INFO:
            infos.setdefault(message.topic, deserialize(message.data, CAMERA_INFO))
        if len(infos) == 2:
            break
    left, right = infos[topics.LEFT_INFO].p, infos[topics.RIGHT_INFO].p
    return Geometry(infos[topics.LEFT_INFO].width, left[0], -right[3] / right[0], left[2] - right[2])


def read_labels(path: Path, topic: str) -> list[dict[str, Any]]:
    """Labels of the last String on a topic: a list of {id, name, color, thing}, or an object with such "labels"."""
    labels: list[dict[str, Any]] = []
    for message in read_bag(path, {topic}):
        content = json.loads(deserialize(message.data, message.msgtype).data)
        labels = content["labels"] if isinstance(content, dict) else content
    return labels


def read_pixels(message: BagMessage) -> np.ndarray:
    """Pixels of an Image or CompressedImage message."""
    picture = deserialize(message.data, message.msgtype)
    return decompress(picture)[0] if message.msgtype == COMPRESSED else image_array(picture)


def metres(depth: np.ndarray) -> np.ndarray:
    """Published depth in metres: 32FC1 as it is, 16UC1 from millimetres with 0 = invalid (NaN)."""
    if depth.dtype != np.uint16:
        return depth
    return np.where(depth > 0, depth * np.float32(1e-3), np.float32(np.nan))


def picture_disparity(message: BagMessage, geometry: Geometry | None) -> np.ndarray:
    """Picture disparity (x_left - x_right) float32 [H, W] px, NaN = none, of a DisparityImage or a 16-bit image."""
    if message.msgtype != DISPARITY:
        return from_png(read_pixels(message))
    picture = deserialize(message.data, DISPARITY)
    return disparity_array(picture, geometry.shift_at(picture.image.width) if geometry else 0.0)


@dataclass
class Truth:
    """Truth messages by kind and stamp, decoded on demand."""

    geometry: Geometry | None
    labels: list[dict[str, Any]]
    messages: dict[str, dict[int, BagMessage]] = field(default_factory=dict)

    def has(self, kind: str) -> bool:
        """Whether there is any truth under the topic `kind`."""
        return bool(self.messages.get(kind))

    def disparity(self, stamp_ns: int) -> np.ndarray | None:
        """Picture disparity of a stamp, None without truth."""
        message = self.messages.get(topics.TRUTH_DISPARITY, {}).get(stamp_ns)
        return None if message is None else picture_disparity(message, self.geometry)

    def depth(self, stamp_ns: int) -> np.ndarray | None:
        """Depth float32 [H, W] metres, Z = f B / (d - (cx_left - cx_right)), None without truth or geometry."""
        disparity = self.disparity(stamp_ns)
        if disparity is None or self.geometry is None:
            return None
        scale = disparity.shape[1] / self.geometry.width
        distance = disparity - np.float32(self.geometry.shift_px * scale)
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = self.geometry.focal_px * scale * self.geometry.baseline_m / distance
        return np.where(distance > 0, depth, np.nan).astype(np.float32)

    def semantic(self, stamp_ns: int) -> np.ndarray | None:
        """Class ids uint8 [H, W] of a stamp, None without truth."""
        return self._pixels(topics.TRUTH_SEMANTIC, stamp_ns)

    def instance(self, stamp_ns: int) -> np.ndarray | None:
        """Instance ids uint16 [H, W] of a stamp, 0 = stuff, None without truth."""
        return self._pixels(topics.TRUTH_INSTANCE, stamp_ns)

    def _pixels(self, kind: str, stamp_ns: int) -> np.ndarray | None:
        message = self.messages.get(kind, {}).get(stamp_ns)
        return None if message is None else read_pixels(message)


def read_truth(path: Path) -> Truth:
    """Truth topics of a bag, raw or compressed; empty where the bag has none."""
    kinds = (topics.TRUTH_DISPARITY, topics.TRUTH_SEMANTIC, topics.TRUTH_INSTANCE)
    truth = Truth(stereo_geometry(path), read_labels(path, topics.TRUTH_LABELS))
    for message in read_bag(path, {*kinds, *map(topics.compressed, kinds)}):
        by_stamp = truth.messages.setdefault(topics.base(message.topic), {})
        by_stamp[header_stamp_ns(message.data)] = message
    return truth
