# SPDX-License-Identifier: Apache-2.0
"""A node in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

STEREO_NODE = ("-m", "depth_nodes.stereo_node")
# For an exit that is certain to come; a machine under load may be slow.
EXIT_TIMEOUT_S = 60.0


class NodeProcess:
    """`python PROGRAM` with parameters, its log in a file."""

    def __init__(
        self,
        log_path: Path,
        parameters: dict,
        arguments: Sequence[str] = (),
        program: Sequence[str] = STEREO_NODE,
    ) -> None:
        self.log_path = log_path
        command = [sys.executable, *program, "--ros-args", *arguments]
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

    @property
    def threads(self) -> int:
        """Threads of the process."""
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))

    def interrupt(self, number: int = signal.SIGINT) -> tuple[int, float]:
        """Send a signal; exit code and seconds until the process was gone."""
        start = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(EXIT_TIMEOUT_S), time.monotonic() - start

    def stop(self) -> None:
        """End the process as a user would: a killed one leaves its 64 MB of DDS shared memory behind."""
        if self.alive:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(EXIT_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(EXIT_TIMEOUT_S)
