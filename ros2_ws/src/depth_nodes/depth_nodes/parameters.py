# SPDX-License-Identifier: Apache-2.0
"""Parameters of the stereo node: one table with default, meaning, range and whether they change while running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from depth_runtime.backends import backend_names
from depth_runtime.plan import parse_size
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

TOGGLES = (
    "disparity",
    "depth",
    "confidence",
    "semantic",
    "instance",
    "panoptic_color",
    "disparity_color",
    "points",
)


@dataclass(frozen=True)
class Parameter:
    """One declared parameter. `limits` is the closed range of a number; `choices` the values of a string."""

    name: str
    default: Any
    meaning: str
    dynamic: bool = False
    limits: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()

    def descriptor(self) -> ParameterDescriptor:
        """What `ros2 param describe` shows."""
        change = "can change while running" if self.dynamic else "takes effect when the node is configured"
        descriptor = ParameterDescriptor(name=self.name, description=f"{self.meaning}; {change}")
        if self.choices:
            descriptor.additional_constraints = "one of: " + ", ".join(self.choices)
        if self.limits and isinstance(self.default, int):
            descriptor.integer_range = [IntegerRange(from_value=int(self.limits[0]), to_value=int(self.limits[1]))]
        elif self.limits:
            low, high = map(float, self.limits)
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
        return descriptor


PARAMETERS = (
    Parameter("model", "stereo_s", "network: a zoo name or the path of an ONNX file"),
    Parameter("backend", "auto", "what runs the network", choices=tuple(backend_names())),
    Parameter("threads", 0, "CPU threads of the network, 0 = one for each core", limits=(0, 128)),
    Parameter("engine_cache_dir", "", "folder of built TensorRT engines, empty = the user's cache folder"),
    Parameter(
        "network_size",
        "source",
        "network input: 'source' = camera resolution, 'default' = the network's own size, or 'WIDTHxHEIGHT' in px",
    ),
    Parameter(
        "output_size",
        "source",
        "size of published maps: camera size, or the size at which the network saw the image",
        choices=("source", "network"),
    ),
    Parameter(
        "image_transport",
        "raw",
        "input images: raw (sensor_msgs/Image) or compressed (CompressedImage on TOPIC/compressed)",
        choices=("raw", "compressed"),
    ),
    Parameter("approximate_sync", False, "pair images whose stamps differ, instead of equal stamps only"),
    Parameter("approximate_sync_tolerance_s", 0.01, "largest stamp difference of a pair, seconds", limits=(0.0, 1.0)),
    Parameter("cache_camera_info", False, "use the latest camera_info even if its stamp differs from the image's"),
    Parameter("max_age_s", 0.0, "drop pairs older than this when their turn comes, s; 0 = never", True, (0, 60.0)),
    Parameter("min_depth_m", 0.2, "depth below this becomes -Inf, metres", True, (0.0, 1000.0)),
    Parameter("max_depth_m", 200.0, "depth beyond this becomes +Inf, metres", True, (0.0, 10000.0)),
    Parameter(
        "confidence_threshold", 0.0, "disparity and depth become NaN where confidence is lower", True, (0.0, 1.0)
    ),
    Parameter(
        "depth_encoding",
        "32FC1",
        "depth image: 32FC1 metres (NaN, +-Inf) or 16UC1 millimetres (0 = invalid)",
        True,
        choices=("32FC1", "16UC1"),
    ),
    Parameter("point_stride", 2, "points: every n-th pixel in each direction", True, (1, 16)),
    *(Parameter(f"publish.{name}", True, f"publish {name} when somebody subscribes", True) for name in TOGGLES),
    Parameter("autostart", True, "configure and activate at start-up, without a lifecycle manager"),
)
BY_NAME: Mapping[str, Parameter] = {p.name: p for p in PARAMETERS}

# Parameters that rclpy declares itself.
_ROS_OWN = ("use_sim_time", "start_type_description_service")


def declare(node: Node) -> None:
    """Declare every parameter. Raises ValueError for an override that no parameter answers to, or of a wrong type."""
    unknown = sorted(
        name
        for name in node._parameter_overrides
        if name not in BY_NAME and name not in _ROS_OWN and not name.startswith("qos_overrides.")
    )
    if unknown:
        raise ValueError(
            f"expected parameters among {sorted(BY_NAME)}, got {', '.join(unknown)}; "
            "correct the name in the params_file or on the command line"
        )
    for parameter in PARAMETERS:
        node.declare_parameter(parameter.name, parameter.default, parameter.descriptor())


def values(node: Node) -> dict[str, Any]:
    """Current values by name."""
    return {name: node.get_parameter(name).value for name in BY_NAME}


def objection(changes: Sequence[tuple[str, Any]], current: Mapping[str, Any], running: bool) -> str:
    """Why a set of changes must be refused, "" if it may pass. Types and ranges are rclpy's to check."""
    merged = dict(current)
    for name, value in changes:
        parameter = BY_NAME.get(name)
        if parameter is None:
            continue
        if running and not parameter.dynamic and value != current[name]:
            return f"{name} takes effect when the node is configured: deactivate and clean up the node, then set it"
        if parameter.choices and value not in parameter.choices:
            return f"expected {name} one of {list(parameter.choices)}, got '{value}'"
        merged[name] = value
    if merged["min_depth_m"] >= merged["max_depth_m"]:
        return f"expected min_depth_m < max_depth_m, got {merged['min_depth_m']} and {merged['max_depth_m']}"
    try:
        parse_size(merged["network_size"], (1, 1))
    except ValueError as error:
        return str(error)
    return ""
