# SPDX-License-Identifier: Apache-2.0
"""ImagePlan: how a camera image becomes a network input, and how every output finds its way back.

One object knows resize, padding, the disparity rescale and the intrinsics that belong to it, so training,
export, evaluation and the robot cannot disagree about them.

Convention: sizes are (height, width); pixel centres lie at whole coordinates, so a resize by s maps
x to (x + 0.5) s - 0.5. Padding sits at the right, where it mirrors the image (columns that repeat the edge would be
stripes of another column in either eye, and match), and at the bottom, where it repeats the edge (in both eyes alike,
while a mirrored ground would rise again).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

Size = tuple[int, int]


def parse_size(text: str, default_size: Size) -> Size | None:
    """Network size of a setting: "source" -> None, "default" -> default_size, "640x384" -> (384, 640).

    Raises ValueError for anything else.
    """
    if text == "source":
        return None
    if text == "default":
        return default_size
    width, _, height = text.lower().partition("x")
    if width.isdecimal() and height.isdecimal() and int(width) > 0 and int(height) > 0:
        return int(height), int(width)
    raise ValueError(f"expected network_size 'source', 'default' or 'WIDTHxHEIGHT' (640x384), got '{text}'")


@dataclass(frozen=True)
class ImagePlan:
    """Way from source size to network size and on to the size that is published.

    source: size of the camera image; network: size of the network input; content: the part of the network
    input (from its top left corner) that shows the camera image, the rest is padding; target: size of the
    published maps.
    """

    source: Size
    network: Size
    content: Size
    target: Size

    def __post_init__(self) -> None:
        assert all(c <= n for c, n in zip(self.content, self.network, strict=True)), self

    @property
    def scale_in(self) -> tuple[float, float]:
        """Network pixels per source pixel (x, y)."""
        return self.content[1] / self.source[1], self.content[0] / self.source[0]

    @property
    def scale_out(self) -> tuple[float, float]:
        """Published pixels per source pixel (x, y): the factor for published intrinsics."""
        return self.target[1] / self.source[1], self.target[0] / self.source[0]

    @property
    def disparity_scale(self) -> float:
        """Published disparity per network disparity."""
        return self.target[1] / self.content[1]

    def apply(self, image: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Write a camera image into a network input.

        image: uint8 [H, W, 3] of source size; out: uint8 [Hn, Wn, 3] of network size, filled and returned.
        Raises ValueError when a size is not the plan's.
        """
        if image.shape[:2] != self.source or out.shape[:2] != self.network:
            raise ValueError(
                f"expected an image of size {self.source} and a buffer of {self.network}, "
                f"got {image.shape[:2]} and {out.shape[:2]}; make a plan for this size"
            )
        height, width = self.content
        inner = out[:height, :width]
        if self.content == self.source:
            inner[...] = image
        else:
            shrinks = height * width < image.shape[0] * image.shape[1]
            cv2.resize(image, (width, height), inner, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        self.pad(out)
        return out

    def pad(self, out: np.ndarray) -> None:
        """Mirror the content to the right and repeat its last row below, over the padding of a network input."""
        height, width = self.content
        out[:height, width:] = out[:height, mirrored(width, self.network[1])[width:]]
        out[height:] = out[height - 1 : height]

    def undo(self, values: np.ndarray, nearest: bool = False) -> np.ndarray:
        """Bring a network output to the target size; values keep their unit.

        values: [h, w] at network size divided by a whole stride. Returns [Ht, Wt]: a view of `values` where nothing
        must be resized, else a new array. `nearest` keeps class ids and ids of instances intact.
        """
        height, width = self.content
        interpolation = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
        if values.shape != self.network:
            values = cv2.resize(values, self.network[::-1], interpolation=interpolation)
        values = values[:height, :width]
        if self.target != self.content:
            values = cv2.resize(values, self.target[::-1], interpolation=interpolation)
        return values

    def undo_disparity(self, disparity_px: np.ndarray) -> np.ndarray:
        """Bring a disparity map [h, w] (network pixels) to the target size and to its pixels."""
        values = self.undo(disparity_px)
        return values if self.disparity_scale == 1 else values * np.float32(self.disparity_scale)


@lru_cache(maxsize=64)
def mirrored(side: int, padded: int) -> np.ndarray:
    """Index of the column that stands at each of `padded` places: 0 .. side - 1, then back, and forth again."""
    return np.pad(np.arange(side), (0, padded - side), mode="reflect")


@lru_cache(maxsize=64)
def make_plan(source: Size, size_multiple: int, network: Size | None = None, output: str = "source") -> ImagePlan:
    """Plan for images of size `source`.

    network None keeps the camera's resolution, padded up to size_multiple; a given network size is filled with
    the image scaled evenly until it fits. output "source" publishes at camera size, "network" at the size of the
    image inside the network input. Raises ValueError for sizes that cannot be planned.
    """
    if min(source) < 1:
        raise ValueError(f"expected an image with pixels, got size {source}")
    if output not in ("source", "network"):
        raise ValueError(f"expected output size 'source' or 'network', got '{output}'")
    content = source
    if network is None:
        network = _padded(source[0], size_multiple), _padded(source[1], size_multiple)
    else:
        if any(side % size_multiple or side < 1 for side in network):
            raise ValueError(f"expected a network size in multiples of {size_multiple}, got {network[1]}x{network[0]}")
        scale = min(network[0] / source[0], network[1] / source[1])
        content = _scaled(source[0], network[0], scale), _scaled(source[1], network[1], scale)
    return ImagePlan(source, network, content, source if output == "source" else content)


def _padded(side: int, multiple: int) -> int:
    return -(-side // multiple) * multiple


def _scaled(side: int, limit: int, scale: float) -> int:
    return max(1, min(limit, round(side * scale)))
