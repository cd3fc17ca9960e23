# SPDX-License-Identifier: Apache-2.0
"""The stereo node's session: pairs in by stamp, their calibration checked, one StereoMaps out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from depth_runtime.camera import StereoCamera
from depth_runtime.rectification import doubt_about_rectified
from depth_runtime.timing import StageTimer
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from .calibration import stereo_camera
from .images import ImageDecoder
from .inputs import StereoInputs
from .maps import StereoMaps
from .pairing import LEFT, LEFT_INFO, RIGHT, RIGHT_INFO, PairMatcher
from .pairing_words import PairingWatch, explain_silence
from .problems import BadMessageError
from .session import Job, Session
from .settings import Settings, StereoSettings

if TYPE_CHECKING:
    from .depth_node import DepthNode
    from .network import LoadedNetwork

# Without a pair for this long the node says why.
PATIENCE_S = 2.0


class StereoSession(Session[dict[str, Any]]):
    """Messages of a frame by topic key; see `Session`."""

    def __init__(self, node: DepthNode[StereoSettings], network: LoadedNetwork) -> None:
        super().__init__(node, network)
        settings = node.settings
        tolerance_ns = round(settings.approximate_sync_tolerance_s * 1e9) if settings.approximate_sync else 0
        self._matcher = PairMatcher(tolerance_ns, settings.cache_camera_info)
        self._pairing = PairingWatch(self._matcher)
        self._baselines = settings.baselines
        self._camera: tuple[tuple, StereoCamera] | None = None
        self._decoder = ImageDecoder(lambda text: node.get_logger().info(text))
        self._inputs = StereoInputs(node, settings.image_transport, self._on_message, node.monitor.incompatible)

    # Executor thread

    def _on_message(self, topic: str, message: Any) -> None:
        now_s = time.perf_counter()
        stamp_ns = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
        jumps = self._matcher.jumps
        pair = self._matcher.add(topic, stamp_ns, message, now_s)
        if self._matcher.jumps > jumps:
            self._node.get_logger().info("stamps went back (a looped bag?): waiting messages were cleared")
            super().forget_waiting()
        if pair:
            self.hand_in(Job(pair.stamp_ns, now_s, pair.messages))

    def forget_waiting(self) -> None:
        """Drop what waits, single messages too."""
        self._matcher.clear()
        super().forget_waiting()

    def silence(self) -> str:
        """See `Session.silence`; topics by the names that they are subscribed under."""
        now_s = time.perf_counter()
        if now_s - self.last_frame_s < PATIENCE_S:
            return ""
        text = explain_silence(self._matcher, now_s, PATIENCE_S)
        arrived = {key for key, state in self._matcher.topics.items() if state.arrived_s is not None}
        text = "; ".join((self._named(text), *self._inputs.explain_publishers(arrived)))
        return f"no stereo pair for {PATIENCE_S:.0f} s: {text}"

    def counts(self) -> dict[str, Any]:
        """See `Session.counts`."""
        counts: dict[str, Any] = {"paired": self._matcher.pairs, "time jumps": self._matcher.jumps}
        for topic, state in self._matcher.topics.items():
            counts |= {f"received: {topic}": state.received, f"unpaired: {topic}": state.unpaired}
            counts[f"waiting: {topic}"] = len(state.waiting)
        missing = self._matcher.missing_now()
        return counts | {f"left images without {topic}": count for topic, count in missing.items()}

    def warnings(self) -> list[str]:
        """See `Session.warnings`; topics by the names that they are subscribed under."""
        return [*super().warnings(), *map(self._named, self._pairing.warnings(time.perf_counter()))]

    def _named(self, text: str) -> str:
        for key, name in self._inputs.topics.items():
            text = text.replace(key, name)
        return text

    def _subscribe(self) -> None:
        self._inputs.subscribe()

    def _unsubscribe(self) -> None:
        self._inputs.destroy()

    # Worker thread

    def _predict(self, job: Job[dict[str, Any]], maps: set[str], settings: Settings, timer: StageTimer) -> StereoMaps:
        messages, topics, pipeline = job.messages, self._inputs.topics, self._network.pipeline
        views = {"left": messages[LEFT], "right": messages[RIGHT]}
        images, encodings = self._decoder.decode(views, {"left": topics[LEFT], "right": topics[RIGHT]})
        left, right = images["left"], images["right"]
        _check_one_size(left, right)
        camera = self._calibrate(messages[LEFT_INFO], messages[RIGHT_INFO], left.shape[:2])
        pipeline.confidence_threshold = settings.confidence_threshold
        result = pipeline.process(images, maps, encodings, timer)
        max_disparity_px = self._network.backend.spec.max_disparity
        assert max_disparity_px is not None  # a spec for stereo has one
        return StereoMaps(
            header=self._header(messages[LEFT].header, settings),
            info=messages[LEFT_INFO],
            image_rgb=result.view_rgb,
            plan=result.plan,
            confidence=result.confidence,
            panoptic=result.panoptic,
            settings=settings,
            views=self._network.views,
            timer=timer,
            network_disparity_px=result.disparity_px,
            source_camera=camera,
            max_disparity_px=float(max_disparity_px),
        )

    def _header(self, header: Header, settings: Settings) -> Header:
        """The header of the outputs: the left image's, in the frame that the settings name."""
        if settings.frame_id:
            header.frame_id = settings.frame_id
        frame_id, doubt = header.frame_id, ""
        if not frame_id or frame_id.startswith("/"):
            doubt = (
                f"the outputs' frame_id is '{frame_id}', which tf2 knows no transform of; set frame_id to the optical "
                "frame of the left camera, or mend the driver's"
            )
        self._doubt("frame_id", doubt)
        return header

    def _calibrate(self, left: CameraInfo, right: CameraInfo, size: tuple[int, int]) -> StereoCamera:
        def content(info: CameraInfo) -> tuple:
            roi = info.roi
            window = (roi.x_offset, roi.y_offset, roi.width, roi.height)
            numbers = info.p.tobytes(), info.k.tobytes(), tuple(info.d)
            return (info.width, info.height, info.binning_x, info.binning_y, window, numbers)

        key = (content(left), content(right), size)
        if self._camera is None or self._camera[0] != key:
            self._camera = (key, stereo_camera(left, right, size, self._baselines))
            self._doubt("calibration", doubt_about_rectified(left, right))
        return self._camera[1]


def _check_one_size(left: np.ndarray, right: np.ndarray) -> None:
    if left.shape[:2] != right.shape[:2]:
        raise BadMessageError(
            "size",
            f"expected left and right of one size, got {left.shape[1]}x{left.shape[0]} left and "
            f"{right.shape[1]}x{right.shape[0]} right; check the drivers' settings",
        )
