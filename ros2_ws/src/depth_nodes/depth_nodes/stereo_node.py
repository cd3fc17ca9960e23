# SPDX-License-Identifier: Apache-2.0
"""Stereo node: rectified pairs in; disparity, depth, confidence, panoptic maps and points out."""

from __future__ import annotations

import json
import time
from typing import Any

from depth_runtime.backends import Backend, BackendError, make_backend
from depth_runtime.camera import StereoCamera
from depth_runtime.pipeline import StereoPipeline
from depth_runtime.plan import parse_size
from depth_runtime.spec import SpecError
from depth_runtime.timing import StageTimer
from depth_runtime.zoo import resolve_model
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Float32, String

from . import parameters
from .calibration import stereo_camera
from .images import decode_compressed, decode_image
from .inputs import StereoInputs
from .labels import LabelPublishers
from .monitor import Monitor
from .outputs import Frame, StereoOutputs
from .pairing import LEFT, LEFT_INFO, RIGHT, RIGHT_INFO, PairMatcher, StereoPair
from .problems import BadMessageError
from .run import run
from .runtime_log import forward_runtime_log
from .worker import LatestWorker


class StereoNode(LifecycleNode):
    """Managed node around a StereoPipeline. Callbacks pair messages; a worker thread computes and publishes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("stereo_node", **kwargs)
        parameters.declare(self)
        self._settings = parameters.values(self)
        if text := parameters.objection([], self._settings, running=False):
            raise ValueError(text)
        self.add_on_set_parameters_callback(self._on_parameters)
        self._stop_forwarding = forward_runtime_log(self.get_logger())
        self._matcher = PairMatcher()
        self._backend: Backend | None = None
        self._pipeline: StereoPipeline | None = None
        self._inputs: StereoInputs | None = None
        self._worker: LatestWorker | None = None
        self._camera: tuple[tuple, StereoCamera] | None = None
        self._monitor = Monitor(self)
        self._times = {
            name: self.create_publisher(Float32, f"~/debug/{name}", 5)
            for name in ("processing_time_ms", "pipeline_latency_ms")
        }
        self._stages = self.create_publisher(String, "~/debug/stages", 5)
        backwards = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=True)
        self._jump_handle = self.get_clock().create_jump_callback(backwards, post_callback=self._on_time_jump)

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the network and create the publishers; a network that cannot be loaded leaves the node unconfigured."""
        self._settings = parameters.values(self)
        try:
            self._load()
        except (SpecError, BackendError, ValueError) as error:
            self._monitor.fail(str(error))
            return TransitionCallbackReturn.FAILURE
        self._outputs = StereoOutputs(self, self._backend.spec)
        self._labels = LabelPublishers(self, self._backend.spec)
        self._monitor.configured(self._backend, self._settings)
        return super().on_configure(state)

    def _load(self) -> None:
        settings = self._settings
        path = resolve_model(settings["model"])
        self._backend = make_backend(path, settings["backend"], settings["threads"], settings["engine_cache_dir"])
        size = parse_size(settings["network_size"], self._backend.spec.default_size)
        self._pipeline = StereoPipeline(self._backend, size, settings["output_size"])
        self._pipeline.confidence_threshold = settings["confidence_threshold"]
        self.get_logger().info(f"{path} runs on {self._backend.name}: {self._backend.device}")

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and start to answer."""
        settings = self._settings
        tolerance_ns = round(settings["approximate_sync_tolerance_s"] * 1e9) if settings["approximate_sync"] else 0
        self._matcher = PairMatcher(tolerance_ns, settings["cache_camera_info"])
        self._worker = LatestWorker(self._answer, self._on_worker_error)
        self._inputs = StereoInputs(self, settings["image_transport"], self._on_message, self._monitor.incompatible)
        self._monitor.activated(self._matcher, self._inputs)
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to answer; the network stays loaded."""
        self._stop_input()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unload the network."""
        self._stop_input()
        self._unload()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End from any state."""
        self._stop_input()
        self._unload()
        return super().on_shutdown(state)

    def _stop_input(self) -> None:
        if self._inputs:
            self._inputs.destroy()
            self._worker.stop()
            self._inputs = self._worker = None
            self._monitor.deactivated()

    def _unload(self) -> None:
        if self._backend:
            self._labels.destroy()
            for publisher in self._outputs.publishers.values():
                self.destroy_lifecycle_publisher(publisher)
            self._backend = self._pipeline = self._camera = None
            self._monitor.unloaded()

    def destroy_node(self) -> None:
        """Stop the worker before the node's handles go."""
        self._stop_input()
        self._stop_forwarding()
        super().destroy_node()

    # Callbacks of the executor thread

    def _on_parameters(self, changes: list[Parameter]) -> SetParametersResult:
        text = parameters.objection(
            [(p.name, p.value) for p in changes], self._settings, running=self._backend is not None
        )
        if text:
            return SetParametersResult(successful=False, reason=text)
        known = {p.name: p.value for p in changes if p.name in parameters.BY_NAME}
        self._settings = self._settings | known
        if self._pipeline:
            self._pipeline.confidence_threshold = self._settings["confidence_threshold"]
        return SetParametersResult(successful=True)

    def _on_message(self, topic: str, message: Any) -> None:
        now_s = time.perf_counter()
        stamp_ns = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
        jumps = self._matcher.jumps
        pair = self._matcher.add(topic, stamp_ns, message, now_s)
        if self._matcher.jumps > jumps:
            self.get_logger().info("stamps went back (a looped bag?): waiting messages were cleared")
            self._worker.clear()
        if pair:
            self._monitor.paired(now_s)
            if self._worker.put((pair, now_s)):
                self._monitor.statistics.drop("superseded")

    def _on_time_jump(self, _jump: Any) -> None:
        self._matcher.clear()
        if self._worker:
            self._worker.clear()

    # Worker thread

    def _answer(self, job: tuple[StereoPair, float]) -> None:
        pair, received_s = job
        settings, outputs = self._settings, self._outputs
        wanted = outputs.wanted(settings)
        self._monitor.watched = bool(wanted)
        age_ms = (self.get_clock().now().nanoseconds - pair.stamp_ns) / 1e6
        if not wanted:
            return
        if 0 < settings["max_age_s"] * 1e3 < age_ms:
            self._monitor.statistics.drop("too old")
            return
        timer = StageTimer(received_s)
        timer.mark("wait")
        try:
            self._compute(pair, wanted, settings, timer)
        except BadMessageError as error:
            self._monitor.problem(error.cause, str(error))
            return
        self._report(pair, timer)

    def _compute(self, pair: StereoPair, wanted: set[str], settings: dict[str, Any], timer: StageTimer) -> None:
        decode = decode_compressed if settings["image_transport"] == "compressed" else decode_image
        left, left_encoding = decode(pair.messages[LEFT], self._inputs.topics[LEFT])
        right, right_encoding = decode(pair.messages[RIGHT], self._inputs.topics[RIGHT])
        if left.shape[:2] != right.shape[:2]:
            raise BadMessageError(
                "size",
                f"expected left and right of one size, got {left.shape[1]}x{left.shape[0]} left and "
                f"{right.shape[1]}x{right.shape[0]} right; check the drivers' settings",
            )
        camera = self._calibrate(pair.messages[LEFT_INFO], pair.messages[RIGHT_INFO], left.shape[:2])
        result = self._pipeline.process(left, right, StereoOutputs.maps(wanted), (left_encoding, right_encoding), timer)
        frame = Frame(pair.messages[LEFT].header, camera, pair.messages[LEFT_INFO], result.left_rgb)
        self._outputs.publish(result, frame, wanted, settings, timer)
        self._monitor.statistics.answer(timer.finish(), result.valid_ratio)

    def _calibrate(self, left: CameraInfo, right: CameraInfo, size: tuple[int, int]) -> StereoCamera:
        def content(info: CameraInfo) -> tuple:
            roi = info.roi
            window = (roi.x_offset, roi.y_offset, roi.width, roi.height)
            return (info.width, info.height, info.binning_x, info.binning_y, window, info.p.tobytes())

        key = (content(left), content(right), size)
        if self._camera is None or self._camera[0] != key:
            self._camera = (key, stereo_camera(left, right, size))
        return self._camera[1]

    def _report(self, pair: StereoPair, timer: StageTimer) -> None:
        stamp = Time(nanoseconds=pair.stamp_ns)
        latency = (self.get_clock().now().nanoseconds - pair.stamp_ns) / 1e6
        self._times["processing_time_ms"].publish(Float32(data=timer.milliseconds["total"]))
        self._times["pipeline_latency_ms"].publish(Float32(data=latency))
        seconds = stamp.seconds_nanoseconds()
        self._stages.publish(String(data=json.dumps({"stamp": seconds, "ms": timer.milliseconds})))

    def _on_worker_error(self, error: Exception) -> None:
        self._monitor.problem("internal error", f"{type(error).__name__}: {error}")


def main(args: list[str] | None = None) -> int:
    """Entry point of `ros2 run depth_nodes stereo_node`."""
    return run(StereoNode, args)


if __name__ == "__main__":
    raise SystemExit(main())
