# SPDX-License-Identifier: Apache-2.0
"""Panoptic quality of published class and instance maps against truth, matched by stamp."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from depth_runtime.panoptic_quality import PanopticQuality

from ..bags.bag import read_bag
from ..messages import topics
from ..messages.definitions import header_stamp_ns
from .truth import Truth, read_pixels


def panoptic_figures(outputs: Path, truth: Truth, mapping: np.ndarray) -> tuple[dict[str, float], int]:
    """Figures of depth_runtime.panoptic_quality in per cent, and the number of frames scored.

    mapping: uint8 [256], published class id to the truth's. Maps of another size are brought to the truth's by the
    nearest pixel.
    """
    quality = PanopticQuality([label["id"] for label in truth.labels if label.get("thing")])
    waiting: dict[int, dict[str, np.ndarray]] = {}
    frames = 0
    for message in read_bag(outputs, {topics.SEMANTIC, topics.INSTANCE}):
        stamp_ns = header_stamp_ns(message.data)
        maps = waiting.setdefault(stamp_ns, {})
        maps[message.topic] = read_pixels(message)
        true_semantic, true_instance = truth.semantic(stamp_ns), truth.instance(stamp_ns)
        if len(maps) < 2 or true_semantic is None or true_instance is None:
            continue
        semantic, instance = (
            cv2.resize(maps[topic], true_semantic.shape[::-1], interpolation=cv2.INTER_NEAREST)
            for topic in (topics.SEMANTIC, topics.INSTANCE)
        )
        quality.add(mapping[semantic], instance, true_semantic, true_instance)
        frames += 1
        del waiting[stamp_ns]
    return quality.figures(), frames
