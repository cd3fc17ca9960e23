# SPDX-License-Identifier: Apache-2.0
"""Palette indices of PNG files, by Pillow: OpenCV shows only the palette's colours."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from depth_runtime.files.images import read_image_bytes


def read_indices(path: Path) -> np.ndarray:
    """uint8 [H, W]: palette indices of an indexed PNG, or the values of a grey one of 8 bit.

    Raises ValueError naming the path for other files.
    """
    from PIL import Image

    try:
        with Image.open(BytesIO(read_image_bytes(path))) as image:
            mode, pixels = image.mode, np.array(image)
    except (OSError, SyntaxError) as error:  # Pillow calls a broken chunk a SyntaxError
        raise ValueError(f"expected a whole indexed PNG in {path}, got {error}; copy it again") from error
    if mode not in ("P", "L"):
        raise ValueError(
            f"expected palette indices or one grey channel of 8 bit in {path}, got Pillow's mode {mode}; "
            "copy the original file, not a converted one"
        )
    return pixels
