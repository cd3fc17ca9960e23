# SPDX-License-Identifier: Apache-2.0
"""Bags: made of images, played, recorded, scored, and shown to the node."""

from __future__ import annotations

from depth_runtime.command_line import Command, Program

COMMANDS = {
    "images-to-bag": Command(
        "depth_replay.commands.images_to_bag", "folders of rectified image pairs to a rosbag2 bag"
    ),
    "play": Command("depth_replay.commands.play", "publish a bag through ROS 2"),
    "record": Command("depth_replay.commands.record", "record topics into a bag"),
    "score": Command("depth_replay.commands.score", "published disparity, depth and semantics against ground truth"),
    "demo": Command("depth_replay.commands.demo", "play a bag through the stereo node and report on what it published"),
}
PROGRAM = Program("depth_replay", "depth_replay", __doc__, COMMANDS)
main = PROGRAM.main
