# SPDX-License-Identifier: Apache-2.0
"""From a trained network to the files that robots run."""

from __future__ import annotations

import logging

from depth_runtime.cli import COMMANDS as RUNTIME_COMMANDS
from depth_runtime.command_line import Command, Program

COMMANDS = {
    "all": Command(
        "depth_export.all_command", "weights file -> contract file, FP16, INT8 and engines, all that can be made here"
    ),
    "export": Command("depth_export.export_command", "weights file -> contract ONNX file, behind the parity gate"),
    "quantize": Command(
        "depth_export.quantize_command", "contract ONNX file -> the same in INT8, behind an accuracy gate"
    ),
    "halve": Command("depth_export.half_command", "contract ONNX file -> the same in FP16, behind a parity gate"),
    **RUNTIME_COMMANDS,
}
# The exporter of torch reports every step.
PROGRAM = Program("depth_export", "depth-stack", __doc__, COMMANDS, others=logging.ERROR)
main = PROGRAM.main
