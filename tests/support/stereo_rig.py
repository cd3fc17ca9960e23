# SPDX-License-Identifier: Apache-2.0
"""A stereo node in its own process and a rig of cameras and listeners around it, over real DDS."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import String
from stereo_msgs.msg import DisparityImage

RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
OUTPUTS = {
    "disparity": DisparityImage,
    "depth/image_rect": Image,
    "depth/camera_info": CameraInfo,
    "confidence": Image,
    "panoptic/semantic": Image,
    "panoptic/instance": Image,
    "panoptic/image_color": Image,
    "disparity/image_color": Image,
    "points": PointCloud2,
}
CAMERAS = {
    "left/image_rect": Image,
    "right/image_rect": Image,
    "left/camera_info": CameraInfo,
    "right/camera_info": CameraInfo,
}

# A calibration in which no two numbers can be mistaken for each other.
HEIGHT, WIDTH = 64, 160
FX, FY, CX_LEFT, CX_RIGHT, CY, BASELINE_M = 410.0, 395.0, 83.0, 79.5, 30.25, 0.125
FRAME = "left_optical"


def stamp_of(stamp_s: float) -> tuple[int, int]:
    return int(stamp_s), round((stamp_s - int(stamp_s)) * 1e9)


def make_info(side: str, size: tuple[int, int] = (HEIGHT, WIDTH), stamp_s: float = 0.0, **p: float) -> CameraInfo:
    """CameraInfo of one side; keyword p overrides single numbers of fx, fy, cx, cy, tx."""
    fx, fy, cy = p.get("fx", FX), p.get("fy", FY), p.get("cy", CY)
    cx = p.get("cx", CX_LEFT if side == "left" else CX_RIGHT)
    tx = p.get("tx", 0.0 if side == "left" else -fx * BASELINE_M)
    # K, D and R are those of the camera before rectification: what is computed must follow P alone.
    info = CameraInfo(height=size[0], width=size[1], distortion_model="plumb_bob", d=[-0.28, 0.07, 0.0, 0.0, 0.01])
    info.header.stamp.sec, info.header.stamp.nanosec = stamp_of(stamp_s)
    info.header.frame_id = FRAME
    info.k = [1.05 * fx, 0.0, cx + 2.0, 0.0, 1.04 * fy, cy - 3.0, 0.0, 0.0, 1.0]
    info.r = [0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0]
    info.p = [fx, 0.0, cx, tx, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return info


def make_image(pixels: np.ndarray, encoding: str = "rgb8", stamp_s: float = 0.0) -> Image:
    """Image message of pixels [H, W] or [H, W, C] in the encoding's dtype."""
    image = Image(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding)
    image.step = pixels.shape[1] * pixels.itemsize * (pixels.shape[2] if pixels.ndim == 3 else 1)
    image.data = pixels.tobytes()
    image.header.stamp.sec, image.header.stamp.nanosec = stamp_of(stamp_s)
    image.header.frame_id = FRAME
    return image


def scene(size: tuple[int, int] = (HEIGHT, WIDTH), seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random RGB pair; the probe answers known maps for it. Blue of the left image holds class ids 0..2."""
    rng = np.random.default_rng(seed)
    left, right = rng.integers(1, 255, (2, *size, 3), np.uint8)
    left[..., 2] = rng.integers(0, 3, size)
    return left, right


class NodeProcess:
    """`python -m depth_nodes.stereo_node` with parameters, its log in a file."""

    def __init__(self, log_path, parameters: dict, arguments: tuple[str, ...] = ()) -> None:
        self.log_path = log_path
        command = [sys.executable, "-m", "depth_nodes.stereo_node", "--ros-args", *arguments]
        for name, value in parameters.items():
            command += ["-p", f"{name}:={json.dumps(value)}"]
        with open(log_path, "w") as log:
            environment = os.environ | {"RCUTILS_COLORIZED_OUTPUT": "0"}
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def interrupt(self) -> tuple[int, float]:
        """SIGINT; exit code and seconds until the process was gone."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10), time.monotonic() - start

    def stop(self) -> None:
        """End the process as a user would: a killed one leaves its 64 MB of DDS shared memory behind."""
        if self.alive:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)


class Rig:
    """Publishers of the four inputs and listeners of the outputs in this process."""

    def __init__(self, context, namespace: str, input_qos: QoSProfile = RELIABLE, compressed: bool = False) -> None:
        self._namespace = namespace
        self.node = rclpy.create_node(f"rig_{time.monotonic_ns()}", context=context, namespace=namespace)
        self.received: dict[str, list] = defaultdict(list)
        self.stages: list[dict] = []
        self.status: dict[str, str] = {}
        self.status_level = b"\0"
        self.status_message = ""
        self._stamp_s = 100.0
        topics = dict(CAMERAS)
        if compressed:
            for side in ("left", "right"):
                del topics[f"{side}/image_rect"]
                topics[f"{side}/image_rect/compressed"] = CompressedImage
        self.cameras = {topic: self.node.create_publisher(kind, topic, input_qos) for topic, kind in topics.items()}
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, RELIABLE)
        self.node.create_subscription(String, "stereo_node/debug/stages", self._on_stages, RELIABLE)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == f"{self._namespace}/stereo_node: stereo":
                self.status = {pair.key: pair.value for pair in status.values}
                self.status_level, self.status_message = status.level, status.message

    def _on_stages(self, message: String) -> None:
        self.stages.append(json.loads(message.data))

    def listen(self, *topics: str) -> None:
        for topic in topics:
            self.node.create_subscription(OUTPUTS[topic], topic, self.received[topic].append, RELIABLE)

    def listen_raw(self, *topics: str) -> None:
        """Receive without unpacking or keeping: the cheapest subscriber there is, for measurements."""
        for topic in topics:
            arrived = self.received[topic]
            self.node.create_subscription(
                OUTPUTS[topic], topic, lambda _, arrived=arrived: arrived.append(None), RELIABLE, raw=True
            )

    def listen_latched(self, topic: str) -> None:
        self.node.create_subscription(String, topic, self.received[topic].append, LATCHED)

    def wait(self, condition: Callable[[], bool], what: str, timeout_s: float = 10.0) -> None:
        """Wait until condition holds, or fail the test naming what was waited for."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"waited {timeout_s} s for {what}; diagnostics: {self.status_message} {self.status}")
            time.sleep(0.01)

    @staticmethod
    def pause(seconds: float) -> None:
        """Give the other side time for something that must not happen."""
        time.sleep(seconds)

    def warm_up(self) -> None:
        """Send pairs until every output that is listened to has answered: only then has DDS found everyone."""
        self.wait(lambda: all(p.get_subscription_count() for p in self.cameras.values()), "the node to subscribe")
        for _ in range(50):
            self.send_scene(*scene())
            time.sleep(0.1)
            if all(self.received.values()):
                return
        pytest.fail(f"no warm-up pair was answered; diagnostics: {self.status_message} {self.status}")

    def next_stamp(self) -> float:
        self._stamp_s += 0.1
        return self._stamp_s

    def send(self, left: Image, right: Image, left_info: CameraInfo, right_info: CameraInfo) -> None:
        for topic, message in zip(CAMERAS, (left, right, left_info, right_info), strict=True):
            publisher = self.cameras.get(topic) or self.cameras[f"{topic}/compressed"]
            publisher.publish(message)

    def send_scene(self, left: np.ndarray, right: np.ndarray, stamp_s: float | None = None) -> float:
        """Publish a good RGB pair with the standard calibration; returns its stamp."""
        stamp_s = self.next_stamp() if stamp_s is None else stamp_s
        size = left.shape[:2]
        self.send(
            make_image(left, stamp_s=stamp_s),
            make_image(right, stamp_s=stamp_s),
            make_info("left", size, stamp_s),
            make_info("right", size, stamp_s),
        )
        return stamp_s

    def answer(self, topic: str, stamp_s: float, timeout_s: float = 10.0):
        """The message of this stamp on an output topic."""
        wanted = stamp_of(stamp_s)

        def find():
            for message in list(self.received[topic]):
                if (message.header.stamp.sec, message.header.stamp.nanosec) == wanted:
                    return message
            return None

        self.wait(lambda: find() is not None, f"{topic} at {stamp_s}", timeout_s)
        return find()

    def close(self) -> None:
        self._executor.shutdown()
        self._thread.join(5)
        self.node.destroy_node()
