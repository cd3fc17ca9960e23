# SPDX-License-Identifier: Apache-2.0
"""What the packaged Fast DDS profile does for large images: latency and delivery between two processes.

One process publishes 1280x720 rgb8 images, the other receives serialised bytes; with and without the profile, for
the three combinations of reliability that connect.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

PROFILE = Path(__file__).resolve().parents[2] / "launch" / "config" / "fastdds.xml"
VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
HEIGHT, WIDTH = 720, 1280
RELIABILITY = {"reliable": ReliabilityPolicy.RELIABLE, "best effort": ReliabilityPolicy.BEST_EFFORT}
STAMP_OFFSET = 4  # behind the encapsulation header: seconds and nanoseconds, 4 bytes each


def publish(reliability: str, frames: int, rate_hz: float) -> None:
    """Publish stamped images at a fixed rate once somebody listens."""
    rclpy.init()
    node = rclpy.create_node("image_source")
    publisher = node.create_publisher(Image, "image", QoSProfile(depth=1, reliability=RELIABILITY[reliability]))
    image = Image(height=HEIGHT, width=WIDTH, encoding="rgb8", step=3 * WIDTH)
    image.data = np.random.default_rng(0).integers(0, 256, HEIGHT * WIDTH * 3, np.uint8).tobytes()
    deadline = time.monotonic() + 15
    while not publisher.get_subscription_count() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(1.0)
    due = time.monotonic()
    for _ in range(frames):
        image.header.stamp.sec, image.header.stamp.nanosec = divmod(time.time_ns(), 1_000_000_000)
        publisher.publish(image)
        due += 1 / rate_hz
        time.sleep(max(0.0, due - time.monotonic()))
    time.sleep(0.5)
    rclpy.shutdown()


def receive(reliability: str, source: subprocess.Popen) -> list[float]:
    """Latencies in milliseconds of what arrives until the source ends."""
    node = rclpy.create_node("image_sink")
    latencies: list[float] = []

    def on_image(data: bytes) -> None:
        seconds, nanoseconds = np.frombuffer(data, np.uint32, 2, STAMP_OFFSET).tolist()
        latencies.append((time.time_ns() - seconds * 1_000_000_000 - nanoseconds) / 1e6)

    qos = QoSProfile(depth=1, reliability=RELIABILITY[reliability])
    node.create_subscription(Image, "image", on_image, qos, raw=True)
    while source.poll() is None:
        rclpy.spin_once(node, timeout_sec=0.1)
    node.destroy_node()
    return latencies


def row(profile: str, sender: str, receiver: str, frames: int, rate_hz: float) -> str:
    """Measure one combination in fresh processes; one row of the table."""
    environment = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    if profile == "packaged":
        environment |= dict.fromkeys(VARIABLES, str(PROFILE))
    command = [sys.executable, __file__, "--frames", str(frames), "--rate", str(rate_hz)]
    out = subprocess.run(
        [*command, "--measure", sender, receiver], env=environment, capture_output=True, text=True, check=True
    )
    return f"| {profile} | {sender} | {receiver} | {out.stdout.strip()} |"


def measure(sender: str, receiver: str, frames: int, rate_hz: float) -> str:
    """Columns p50, p95 and delivered of one combination, with this process as the receiver."""
    rclpy.init()
    command = [sys.executable, __file__, "--frames", str(frames), "--rate", str(rate_hz), "--publish", sender]
    latencies = receive(receiver, subprocess.Popen(command))
    rclpy.shutdown()
    p50, p95 = np.percentile(latencies, (50, 95)) if latencies else (float("nan"),) * 2
    return f"{p50:.1f} | {p95:.1f} | {100 * len(latencies) / frames:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=125)
    parser.add_argument("--rate", type=float, default=25.0, help="images per second")
    parser.add_argument("--publish", choices=RELIABILITY, help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=2, choices=RELIABILITY, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.publish:
        publish(arguments.publish, arguments.frames, arguments.rate)
    elif arguments.measure:
        print(measure(*arguments.measure, arguments.frames, arguments.rate))
    else:
        print("| profile | publisher | subscriber | p50 ms | p95 ms | delivered % |")
        print("| --- | --- | --- | --: | --: | --: |")
        pairs = (("reliable", "reliable"), ("best effort", "best effort"), ("reliable", "best effort"))
        for profile in ("none", "packaged"):
            for sender, receiver in pairs:
                print(row(profile, sender, receiver, arguments.frames, arguments.rate), flush=True)


if __name__ == "__main__":
    main()
