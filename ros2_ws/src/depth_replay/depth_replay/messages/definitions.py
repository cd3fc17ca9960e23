# SPDX-License-Identifier: Apache-2.0
"""Message types without ROS: definitions and (de)serialisation through the rosbags type store.

The store knows the common packages. Other types are read from the .msg files of a sourced ROS installation.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any, Literal

from depth_runtime.errors import UserError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

TYPES = get_typestore(Stores.ROS2_JAZZY)

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
DISPARITY = "stereo_msgs/msg/DisparityImage"
STRING = "std_msgs/msg/String"
DIAGNOSTICS = "diagnostic_msgs/msg/DiagnosticArray"


class UnknownTypeError(UserError):
    """A message type has neither a definition nor a Python class on this machine."""


def knows_type(msgtype: str) -> bool:
    """Whether the type store can write `msgtype` ("package/msg/Name"), after a look into ROS's own files."""
    if msgtype in TYPES.fielddefs:
        return True
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        package, _, name = msgtype.split("/")
        path = Path(prefix) / "share" / package / "msg" / f"{name}.msg"
        if prefix and path.is_file():
            return _register(msgtype, path)
    return False


def _register(msgtype: str, path: Path) -> bool:
    """Register a .msg file and, first, the types that it is made of."""
    found = get_types_from_msg(path.read_text(encoding="utf-8"), msgtype)
    for _, fields in found.values():
        for name in _named_types(fields):
            if name not in found and not knows_type(name):
                return False
    TYPES.register(found)
    return True


def _named_types(tree: Any) -> set[str]:
    """Names of the message types in a field definition, which nests tuples and lists."""
    if isinstance(tree, str):
        return {tree} if tree.count("/") == 2 else set()
    return set().union(*(_named_types(part) for part in tree)) if isinstance(tree, (tuple, list)) else set()


def message_class(msgtype: str) -> type:
    """The rclpy class of "package/msg/Name".

    Raises UnknownTypeError when the message package is not installed.
    """
    package, kind, name = msgtype.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.{kind}"), name)
    except (ImportError, AttributeError) as error:
        raise UnknownTypeError(
            f"expected the Python message class of {msgtype}, got '{error}'; install the package {package}"
        ) from error


def serialize(message: Any) -> bytes:
    """CDR bytes of a rosbags message, as `rclpy.Publisher.publish` and bags take them."""
    return bytes(TYPES.serialize_cdr(message, message.__msgtype__))


def deserialize(data: bytes, msgtype: str) -> Any:
    """The rosbags message in CDR bytes; arrays are views of `data`."""
    return TYPES.deserialize_cdr(data, msgtype)


def has_header(msgtype: str) -> bool:
    """Whether the first field of the type is a std_msgs/Header."""
    if not knows_type(msgtype):
        return False
    fields = TYPES.fielddefs[msgtype][1]
    return bool(fields) and "std_msgs/msg/Header" in _named_types(fields[0][1])


def header_stamp_ns(data: bytes) -> int:
    """Header stamp in nanoseconds of a CDR message whose first field is a header, without deserialising it."""
    order: Literal["little", "big"] = "little" if data[1] & 1 else "big"
    seconds = int.from_bytes(data[4:8], order, signed=True)
    return seconds * 1_000_000_000 + int.from_bytes(data[8:12], order)
