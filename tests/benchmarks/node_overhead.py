# SPDX-License-Identifier: Apache-2.0
"""What the stereo node adds to a network: time from message receipt to last output published, minus inference.

Runs the node in its own process over real DDS, feeds it synthetic pairs at a fixed rate and prints the median and
the 95th percentile of every stage as a table. The default network is the probe, which computes next to nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import rclpy
from depth_export.probe import write_probe
from node_process import NodeProcess
from stereo_messages import make_image, make_info, scene
from stereo_rig import Rig

PUBLISHED = ("disparity", "depth/image_rect", "depth/camera_info", "confidence", "panoptic/semantic")
WARM_UP_FRAMES = 10


def measure(context, model: str, size: tuple[int, int], rate_hz: float, frames: int) -> list[dict[str, float]]:
    """Stage times in milliseconds of `frames` answered pairs of size (height, width)."""
    namespace = f"/bench_{os.getpid()}_{time.monotonic_ns()}"
    rig = Rig(context, namespace)
    rig.listen_raw(*PUBLISHED)
    with tempfile.TemporaryDirectory() as folder:
        node = NodeProcess(Path(folder) / "log.txt", {"model": model}, ("-r", f"__ns:={namespace}"))
        try:
            rig.warm_up()
            rig.stages.clear()
            feed(rig, size, rate_hz, frames + WARM_UP_FRAMES)
        finally:
            node.interrupt()
            rig.close()
    return [stage["ms"] for stage in rig.stages[WARM_UP_FRAMES:]]


def feed(rig: Rig, size: tuple[int, int], rate_hz: float, frames: int) -> None:
    """Publish the same pair at a fixed rate under new stamps; messages are made beforehand."""
    left, right = (make_image(pixels) for pixels in scene(size))
    messages = (left, right, make_info("left", size), make_info("right", size))
    for _ in range(frames):
        due = time.monotonic() + 1 / rate_hz
        now = rig.node.get_clock().now().to_msg()
        for message in messages:
            message.header.stamp = now
        rig.send(*messages)
        time.sleep(max(0.0, due - time.monotonic()))
    time.sleep(0.5)


def table(size: tuple[int, int], sent: int, times: list[dict[str, float]]) -> str:
    """Markdown rows: stage, p50, p95."""
    stages = list(dict.fromkeys(stage for frame in times for stage in frame))
    rows = {stage: [frame[stage] for frame in times if stage in frame] for stage in stages}
    rows["total minus infer"] = [frame["total"] - frame["infer"] for frame in times]
    lines = [
        f"\n{size[1]}x{size[0]}, {len(times)} of {sent} frames answered",
        "\n| stage | p50 ms | p95 ms |\n| --- | --- | --- |",
    ]
    lines += [f"| {name} | {np.percentile(ms, 50):.2f} | {np.percentile(ms, 95):.2f} |" for name, ms in rows.items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="zoo name or ONNX file (default: the probe)")
    parser.add_argument("--sizes", nargs="+", default=["640x384", "1280x720"], help="WIDTHxHEIGHT")
    parser.add_argument("--rate", type=float, default=10.0, help="pairs per second")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--json", help="write the raw times here")
    arguments = parser.parse_args()
    context = rclpy.Context()
    rclpy.init(context=context)
    raw = {}
    with tempfile.TemporaryDirectory() as folder:
        model = arguments.model or str(write_probe(Path(folder) / "probe.onnx"))
        for text in arguments.sizes:
            width, height = map(int, text.split("x"))
            raw[text] = measure(context, model, (height, width), arguments.rate, arguments.frames)
            print(table((height, width), arguments.frames, raw[text]))
    rclpy.shutdown(context=context)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(raw))


if __name__ == "__main__":
    main()
