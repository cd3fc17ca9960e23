# SPDX-License-Identifier: Apache-2.0
"""Titles, colour bars and label keys of the contact sheet; RGB images throughout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

GAP = 3
_FONT, _SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.6


def write(image: np.ndarray, text: str, origin: tuple[int, int], *, outlined: bool = False) -> None:
    """Text in black, or in white with a black outline, with its baseline at origin (x, y)."""
    if outlined:
        cv2.putText(image, text, origin, _FONT, _SIZE, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(image, text, origin, _FONT, _SIZE, (255, 255, 255) if outlined else (0, 0, 0), 1, cv2.LINE_AA)


def text_width(text: str) -> int:
    """Pixels that `write` needs for the text."""
    return cv2.getTextSize(text, _FONT, _SIZE, 1)[0][0]


def titled(title: str, width: int) -> np.ndarray:
    """A white strip with a centred title."""
    strip = np.full((36, width, 3), 255, np.uint8)
    write(strip, title, ((width - text_width(title)) // 2, 24))
    return strip


def legend_bar(width: int, low: str, high: str, colours: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """A colour bar with the meaning of its ends below; colours maps float32 [H, W] 0..1 to RGB."""
    strip = np.full((64, width, 3), 255, np.uint8)
    level = np.tile(np.linspace(0, 1, width - 4 * GAP, dtype=np.float32), (20, 1))
    strip[10:30, 2 * GAP : width - 2 * GAP] = colours(level)
    write(strip, low, (2 * GAP, 52))
    write(strip, high, (width - 2 * GAP - text_width(high), 52))
    return strip


def legend_labels(width: int, labels: list[dict[str, Any]]) -> np.ndarray:
    """The class colours with their names, in as many lines as they need."""
    places, x, line = [], 2 * GAP, 0
    for label in labels:
        needed = 30 + text_width(label["name"]) + 24
        if x + needed > width:
            x, line = 2 * GAP, line + 1
        places.append((x, line, label))
        x += needed
    key = np.full((32 * (line + 1) + 12 if labels else 12, width, 3), 255, np.uint8)
    for x, line, label in places:
        top = 8 + 32 * line
        cv2.rectangle(key, (x, top), (x + 22, top + 18), tuple(int(c) for c in label["color"]), cv2.FILLED)
        cv2.rectangle(key, (x, top), (x + 22, top + 18), (0, 0, 0), 1)
        write(key, label["name"], (x + 30, top + 16))
    return key
