# SPDX-License-Identifier: Apache-2.0
"""Outputs as a table: each knows its topic, its message, what it needs and how to make it from the maps of a frame."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from copy import copy
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from depth_runtime.drawing import overlay_classes
from depth_runtime.geometry import depth_millimetres
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from .calibration import scaled_camera_info
from .maps import Maps
from .messages import image_message, points_message
from .qos import OUTPUT_QOS, override_options
from .settings import Settings

M = TypeVar("M", bound=Maps)


@dataclass(frozen=True)
class Output(Generic[M]):
    """One output topic.

    make: the message, or its serialised bytes, of one frame. needs: the pipeline's maps without which there is nothing
    to publish; uses: maps that are taken along where the network gives them. toggle: which `publish.` parameter
    switches it, its own name if empty.
    """

    name: str
    topic: str
    kind: type
    make: Callable[[M], Any]
    needs: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    toggle: str = ""

    @property
    def switch(self) -> str:
        """Name of its publish toggle."""
        return self.toggle or self.name


def toggles(outputs: Iterable[Output]) -> list[str]:
    """The publish toggles of a table, each once."""
    return list(dict.fromkeys(output.switch for output in outputs))


def _depth(maps: Maps) -> bytes:
    encoding = maps.settings.depth_encoding
    pixels = maps.depth_m if encoding == "32FC1" else depth_millimetres(maps.depth_m)
    return image_message(maps.header, pixels, encoding)


def _depth_info(maps: Maps) -> CameraInfo:
    info = scaled_camera_info(maps.info, maps.plan.source, maps.plan.target)
    info.header = maps.header
    return info


def _panoptic_color(maps: Maps) -> bytes:
    assert maps.panoptic is not None  # the output needs the classes
    view = overlay_classes(maps.rgb, maps.panoptic.semantic, maps.panoptic.instance, maps.views.colors)
    return image_message(maps.header, view, "rgb8")


def _points(maps: Maps) -> bytes:
    stride = maps.settings.point_stride
    return points_message(maps.header, maps.points(stride), maps.rgb[::stride, ::stride])


DEPTH = Output("depth", "depth/image_rect", Image, _depth)
DEPTH_INFO = Output("depth_info", "depth/camera_info", CameraInfo, _depth_info, toggle="depth")
CONFIDENCE: Output[Any] = Output(
    "confidence",
    "confidence",
    Image,
    lambda maps: image_message(maps.header, maps.confidence, "32FC1"),
    needs=frozenset({"confidence"}),
)
SEMANTIC: Output[Any] = Output(
    "semantic",
    "panoptic/semantic",
    Image,
    lambda maps: image_message(maps.header, maps.panoptic.semantic, "mono8"),
    needs=frozenset({"semantic"}),
)
INSTANCE: Output[Any] = Output(
    "instance",
    "panoptic/instance",
    Image,
    lambda maps: image_message(maps.header, maps.panoptic.instance, "mono16"),
    needs=frozenset({"instance"}),
)
PANOPTIC_COLOR = Output(
    "panoptic_color",
    "panoptic/image_color",
    Image,
    _panoptic_color,
    needs=frozenset({"semantic"}),
    uses=frozenset({"instance"}),
)
POINTS = Output("points", "points", PointCloud2, _points)


class OutputPublishers(Generic[M]):
    """Lazy publishers of one configured node. `available` are the maps that its network can give."""

    def __init__(self, node: LifecycleNode, outputs: Sequence[Output[M]], available: Collection[str]) -> None:
        self._node = node
        self._available = frozenset(available)
        self._publishers: dict[Output[M], LifecyclePublisher] = {}
        with ExitStack() as undo:
            undo.callback(self.destroy)
            for output in outputs:
                # A profile of its own for each: rclpy writes overrides into what it is given.
                self._publishers[output] = node.create_lifecycle_publisher(
                    output.kind,
                    output.topic,
                    copy(OUTPUT_QOS),
                    qos_overriding_options=override_options(),
                )
            undo.pop_all()

    def wanted(self, settings: Settings) -> list[Output[M]]:
        """Outputs that the network can give, no toggle forbids and somebody subscribes to, in the table's order."""
        return [
            output
            for output, publisher in self._publishers.items()
            if output.switch in settings.publish
            and output.needs <= self._available
            and publisher.get_subscription_count()
        ]

    def maps_for(self, wanted: Iterable[Output[M]]) -> set[str]:
        """Maps that the pipeline must compute for these outputs."""
        return set().union(*(output.needs | output.uses for output in wanted)) & self._available

    def publish(self, maps: M, wanted: Iterable[Output[M]]) -> None:
        """Make and publish the wanted outputs of one frame; each is a stage of the frame's timer."""
        for output in wanted:
            self._publishers[output].publish(output.make(maps))
            maps.timer.mark(f"publish_{output.name}")

    def destroy(self) -> None:
        """Take the topics down."""
        while self._publishers:
            _, publisher = self._publishers.popitem()
            self._node.destroy_lifecycle_publisher(publisher)
