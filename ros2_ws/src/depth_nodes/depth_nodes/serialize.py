# SPDX-License-Identifier: Apache-2.0
"""Large messages as CDR bytes, with one copy of their data.

rclpy copies a message's data twice before DDS sees it (into array.array, then into the C struct). Here only the
small fields go through rclpy's serialiser; the data is put into place by hand. Where the data sits is measured on a
small message of the same type, not assumed.
"""

from __future__ import annotations

import array
import struct
from functools import lru_cache

import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, PointCloud2
from stereo_msgs.msg import DisparityImage

_MARK = bytes(range(200, 232))


@lru_cache(maxsize=8)
def _tail_bytes(message_type: type) -> int:
    """Serialised bytes that follow the data field of this message type."""
    sample = message_type()
    (sample.image if message_type is DisparityImage else sample).data = array.array("B", _MARK)
    serialised = serialize_message(sample)
    start = serialised.index(_MARK)
    if struct.unpack_from("<I", serialised, start - 4)[0] != len(_MARK):
        raise RuntimeError(
            f"expected little-endian CDR for {message_type.__name__} from this middleware, got another layout; "
            "choose rmw_fastrtps_cpp or rmw_cyclonedds_cpp"
        )
    return len(serialised) - start - len(_MARK)


def serialize_with_data(message: Image | PointCloud2 | DisparityImage, data: np.ndarray) -> bytes:
    """CDR bytes of a message whose own data field is empty, with `data` (any C-contiguous array) in its place.

    The size of data must be a multiple of 4 bytes where fields follow it, as it is for float maps and points.
    """
    tail = _tail_bytes(message.__class__)
    frame = serialize_message(message)
    cut = len(frame) - tail
    view = data.data.cast("B") if data.size else b""
    return b"".join((frame[: cut - 4], struct.pack("<I", data.nbytes), view, frame[cut:]))
