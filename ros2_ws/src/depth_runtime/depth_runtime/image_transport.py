# SPDX-License-Identifier: Apache-2.0
"""What image_transport's compressed messages hold: an encoded image and the encoding it was made from.

`format` reads "rgb8; jpeg compressed bgr8", "mono16; png compressed ", "bayer_rggb8; jpeg compressed mono8", or, from
other publishers, "jpeg" alone.
"""

from __future__ import annotations

import numpy as np

from .color import ENCODINGS, is_mosaic
from .files.encoded import decode_pixels


def decode_message(data: bytes, format_text: str) -> tuple[np.ndarray, str]:
    """Pixels [H, W] or [H, W, C] and their encoding: bgr8, rgb8, mono8, a Bayer mosaic, or one of these in 16 bits.

    The file's channels count, not the name in front: image_transport makes grey JPEGs of Bayer images and of YUV ones
    and names the camera's encoding all the same. Only where no other encoding follows "compressed" is a picture of one
    channel still the mosaic. Raises EncodedImageError.
    """
    pixels = decode_pixels(data)
    named, _, how = (part.strip() for part in format_text[:200].partition(";"))
    payload = how.partition("compressed")[2].strip()
    bits = 8 * pixels.itemsize
    if pixels.ndim == 3:
        return pixels[..., :3], f"{'rgb' if payload.startswith('rgb') else 'bgr'}{bits}"
    if is_mosaic(named) and named in ENCODINGS and payload in ("", named):
        return pixels, f"{named.rstrip('0123456789')}{bits}"
    return pixels, f"mono{bits}"
