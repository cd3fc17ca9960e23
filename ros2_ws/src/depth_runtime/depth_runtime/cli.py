# SPDX-License-Identifier: Apache-2.0
"""What a robot does with a network before it drives; needs neither torch nor ROS."""

from __future__ import annotations

from .command_line import Command, Program

COMMANDS = {
    "build-engine": Command("depth_runtime.build_engine", "contract ONNX file -> TensorRT engine in a cache folder"),
    "bench": Command("depth_runtime.bench", "time backends and networks against each other in one run"),
}
PROGRAM = Program("depth_runtime", "depth_runtime", __doc__, COMMANDS)
main = PROGRAM.main
