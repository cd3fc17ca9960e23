# SPDX-License-Identifier: Apache-2.0
"""Command line of depth_export."""

from __future__ import annotations

import logging

from depth_runtime.commands import COMMANDS as RUNTIME_COMMANDS
from depth_runtime.commands import Command, run_commands

from . import all_command, export_command, half_command, quantize_command


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run one command."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s")  # the exporter reports every step
    for name in ("depth_export", "depth_runtime"):
        logging.getLogger(name).setLevel(logging.INFO)
    run_commands("depth_export", __doc__, COMMANDS, arguments)


COMMANDS = {
    "all": Command(
        "weights file -> contract file, FP16, INT8 and engines, all that can be made here",
        all_command.configure,
        all_command.run,
    ),
    "export": Command(
        "weights file -> contract ONNX file, behind the parity gate", export_command.configure, export_command.run
    ),
    "quantize": Command(
        "contract ONNX file -> the same in INT8, behind an accuracy gate",
        quantize_command.configure,
        quantize_command.run,
    ),
    "halve": Command(
        "contract ONNX file -> the same in FP16, behind a parity gate", half_command.configure, half_command.run
    ),
    **RUNTIME_COMMANDS,
}
