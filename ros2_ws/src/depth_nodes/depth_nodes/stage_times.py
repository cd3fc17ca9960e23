# SPDX-License-Identifier: Apache-2.0
"""Debug topics: how long each answered frame took."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rclpy.node import Node
from rclpy.time import Time
from std_msgs.msg import Float32, String


class StageTimes:
    """Publishers of ~/debug/processing_time_ms, pipeline_latency_ms and stages."""

    def __init__(self, node: Node) -> None:
        self._processing = node.create_publisher(Float32, "~/debug/processing_time_ms", 5)
        self._latency = node.create_publisher(Float32, "~/debug/pipeline_latency_ms", 5)
        self._stages = node.create_publisher(String, "~/debug/stages", 5)

    def publish(self, stamp_ns: int, latency_ms: float, milliseconds: Mapping[str, float]) -> None:
        """Times of one frame; milliseconds: by stage, with "total"."""
        self._processing.publish(Float32(data=milliseconds["total"]))
        self._latency.publish(Float32(data=latency_ms))
        seconds = Time(nanoseconds=stamp_ns).seconds_nanoseconds()
        self._stages.publish(String(data=json.dumps({"stamp": seconds, "ms": dict(milliseconds)})))
