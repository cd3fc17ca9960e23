# SPDX-License-Identifier: Apache-2.0
"""Writers of tiny files in the formats of published data sets, for the tests of their readers."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def write_image(path: Path, pixels: np.ndarray) -> Path:
    """Write an image (colour as RGB), making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels[..., ::-1] if pixels.ndim == 3 else pixels)
    return path


def write_text(path: Path, text: str) -> Path:
    """Write a text file, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_pfm(path: Path, values: np.ndarray, little: bool = True) -> Path:
    """Write float32 [H, W] or [H, W, 3] as PFM, bottom row first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    magic, scale = ("PF" if values.ndim == 3 else "Pf"), ("-1.0" if little else "1.0")
    header = f"{magic}\n{values.shape[1]} {values.shape[0]}\n{scale}\n".encode()
    path.write_bytes(header + values[::-1].astype("<f4" if little else ">f4").tobytes())
    return path


def picture(value: int, height: int = 6, width: int = 8) -> np.ndarray:
    """uint8 [H, W, 3] RGB of one colour (value, 2, 3)."""
    return np.full((height, width, 3), (value, 2, 3), np.uint8)
