# SPDX-License-Identifier: Apache-2.0
"""Ground truth of a bag by stamp: disparity, depth, semantic ids; and labels and camera that belong to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from depth_runtime.camera import BASELINES, CalibrationError, StereoCamera
from depth_runtime.files.disparity_png import disparity_of
from depth_runtime.geometry import depth_from_disparity
from depth_runtime.rectification import BaselineRule

from ..bags.bag import BagMessage, bag_topics, read_bag
from ..messages import topics
from ..messages.definitions import CAMERA_INFO, COMPRESSED, DISPARITY, deserialize, header_stamp_ns
from ..messages.disparity_codec import disparity_array
from ..messages.image_codec import decompress, image_array


def read_camera(path: Path, rule: BaselineRule = BASELINES) -> StereoCamera | None:
    """The camera of the images of a bag from its first two camera infos, None when it has not both of them.

    rule: its baseline, or what that may be. Raises CalibrationError naming the bag when they make no stereo pair.
    """
    infos: dict[str, Any] = {}
    wanted = {topics.LEFT_INFO, topics.RIGHT_INFO}
    if not wanted <= set(bag_topics(path)):
        return None
    for message in read_bag(path, wanted):
        if message.msgtype == CAMERA_INFO:
            infos.setdefault(message.topic, deserialize(message.data, CAMERA_INFO))
        if len(infos) == 2:
            break
    try:
        return StereoCamera.from_camera_infos(infos[topics.LEFT_INFO], infos[topics.RIGHT_INFO], rule=rule)
    except CalibrationError as error:
        raise CalibrationError(f"{path}: {error}") from error


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


def picture_disparity(message: BagMessage, camera: StereoCamera | None) -> np.ndarray:
    """Picture disparity (x_left - x_right) float32 [H, W] px, NaN = none, of a DisparityImage or a 16-bit image."""
    if message.msgtype != DISPARITY:
        return disparity_of(read_pixels(message))
    picture = deserialize(message.data, DISPARITY)
    size = picture.image.height, picture.image.width
    return disparity_array(picture, camera.resized(size).disparity_shift_px if camera else 0.0)


@dataclass
class Truth:
    """Truth messages by kind and stamp, decoded on demand."""

    camera: StereoCamera | None
    labels: list[dict[str, Any]]
    messages: dict[str, dict[int, BagMessage]] = field(default_factory=dict)

    def has(self, kind: str) -> bool:
        """Whether there is any truth under the topic `kind`."""
        return bool(self.messages.get(kind))

    def disparity(self, stamp_ns: int) -> np.ndarray | None:
        """Picture disparity of a stamp, None without truth."""
        message = self.messages.get(topics.TRUTH_DISPARITY, {}).get(stamp_ns)
        return None if message is None else picture_disparity(message, self.camera)

    def depth(self, stamp_ns: int) -> np.ndarray | None:
        """Depth float32 [H, W] metres, NaN where the truth has none; None without truth or camera."""
        disparity = self.disparity(stamp_ns)
        if disparity is None or self.camera is None:
            return None
        camera = self.camera.resized(disparity.shape)
        depth_m = depth_from_disparity(disparity - np.float32(camera.disparity_shift_px), camera.fx, camera.baseline_m)
        return np.where(np.isfinite(depth_m), depth_m, np.float32(np.nan))

    def semantic(self, stamp_ns: int) -> np.ndarray | None:
        """Class ids uint8 [H, W] of a stamp, None without truth."""
        return self._pixels(topics.TRUTH_SEMANTIC, stamp_ns)

    def instance(self, stamp_ns: int) -> np.ndarray | None:
        """Instance ids uint16 [H, W] of a stamp, 0 = stuff, None without truth."""
        return self._pixels(topics.TRUTH_INSTANCE, stamp_ns)

    def _pixels(self, kind: str, stamp_ns: int) -> np.ndarray | None:
        message = self.messages.get(kind, {}).get(stamp_ns)
        return None if message is None else read_pixels(message)


def read_truth(path: Path, camera: StereoCamera | None) -> Truth:
    """Truth topics of a bag, raw or compressed; empty where the bag has none. camera: that of its images."""
    kinds = (topics.TRUTH_DISPARITY, topics.TRUTH_SEMANTIC, topics.TRUTH_INSTANCE)
    truth = Truth(camera, read_labels(path, topics.TRUTH_LABELS))
    for message in read_bag(path, {*kinds, *map(topics.compressed, kinds)}):
        by_stamp = truth.messages.setdefault(topics.base(message.topic), {})
        by_stamp[header_stamp_ns(message.data)] = message
    return truth
