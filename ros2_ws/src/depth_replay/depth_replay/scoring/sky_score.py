# SPDX-License-Identifier: Apache-2.0
"""Published depth where the truth says sky, which true disparity cannot judge: nothing is there to be measured."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..bags.bag import read_bag
from ..messages import topics
from ..messages.definitions import header_stamp_ns
from .truth import Truth, metres, read_pixels

NEAR_M = 50.0


def sky_figures(outputs: Path, truth: Truth) -> tuple[dict[str, float], int]:
    """Per cent of all true sky that is published nearer than NEAR_M, and the number of frames with sky.

    Infinite and invalid depth is not near. Maps of another size are brought to the truth's by the nearest pixel.
    """
    ids = [label["id"] for label in truth.labels if label["name"] == "sky"]
    near, sky_pixels, frames = 0, 0, 0
    for message in read_bag(outputs, {topics.DEPTH}) if ids else ():
        semantic = truth.semantic(header_stamp_ns(message.data))
        sky = np.isin(semantic, ids) if semantic is not None else np.zeros(1, bool)
        if not sky.any():
            continue
        depth_m = cv2.resize(metres(read_pixels(message)), sky.shape[::-1], interpolation=cv2.INTER_NEAREST)
        near += int((depth_m[sky] < NEAR_M).sum())
        sky_pixels += int(sky.sum())
        frames += 1
    return ({f"nearer_than_{NEAR_M:.0f}_m": 100 * near / sky_pixels} if frames else {}), frames
