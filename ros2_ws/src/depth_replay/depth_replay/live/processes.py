# SPDX-License-Identifier: Apache-2.0
"""Child processes with a log file each, watched while they run and stopped in the end whatever happens."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from depth_runtime.errors import UserError

# Signal and the seconds that a process gets to follow it.
# A recorder finishes its file first; on a busy machine that takes its time.
_STOP_STEPS = ((signal.SIGINT, 60.0), (signal.SIGTERM, 15.0), (signal.SIGKILL, 15.0))


class ProcessDiedError(UserError):
    """A process ended on its own; the message holds its last log lines."""


class Process:
    """One child process; its output goes to a log file."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name, self.log = name, log
        with log.open("wb") as output:
            # A session of its own: Ctrl-C reaches the driver only, which then stops its children in order.
            self._popen = subprocess.Popen(
                list(command),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=dict(environment),
                start_new_session=True,
            )

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    def tail(self, lines: int = 15) -> str:
        """The last lines of the log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def check(self) -> None:
        """Raises ProcessDiedError when the process has ended."""
        if self.exit_code is not None:
            raise ProcessDiedError(self.epitaph())

    def epitaph(self) -> str:
        """How the process ended, with its last log lines."""
        code = self.exit_code
        how = f"was ended by {signal.Signals(-code).name}" if code is not None and code < 0 else f"ended with {code}"
        return f"expected the {self.name} to run, but it {how}; its last lines ({self.log}):\n{self.tail()}"

    def stop(self) -> int:
        """Ask with SIGINT, then SIGTERM, then SIGKILL; returns the exit code."""
        for number, patience_s in _STOP_STEPS:
            if self.exit_code is None:
                self._popen.send_signal(number)
                try:
                    self._popen.wait(patience_s)
                except subprocess.TimeoutExpired:
                    continue
        return self._popen.wait()


class ProcessGroup:
    """Processes that live and die together; leaving the context stops what still runs, last started first."""

    def __init__(self, log_folder: Path, environment: Mapping[str, str]) -> None:
        self.log_folder, self.environment = log_folder, environment
        self.processes: dict[str, Process] = {}

    def start(self, name: str, command: Sequence[str]) -> Process:
        """Start a process under a name."""
        self.processes[name] = Process(name, command, self.log_folder / f"{name}.log", self.environment)
        return self.processes[name]

    def wait(self, ready: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait until `ready`, while all processes live.

        Raises ProcessDiedError when one ends, TimeoutError when time is over.
        """
        until = time.monotonic() + timeout_s
        while not ready():
            for process in self.processes.values():
                process.check()
            if time.monotonic() > until:
                logs = "\n".join(f"--- {p.name}:\n{p.tail(8)}" for p in self.processes.values())
                raise TimeoutError(f"expected {what} within {timeout_s:g} s, got none; last lines of the logs:\n{logs}")
            time.sleep(0.1)

    def wait_for_end(self, process: Process, timeout_s: float, tick: Callable[[float], object]) -> None:
        """Wait until one process has ended well, while the others live; tick gets the seconds that have passed.

        Raises ProcessDiedError when it fails or another one ends, TimeoutError when time is over.
        """
        others = [p for p in self.processes.values() if p is not process]
        began = time.monotonic()
        until = began + timeout_s
        while process.exit_code is None:
            for other in others:
                other.check()
            if time.monotonic() > until:
                raise TimeoutError(f"expected the {process.name} to end within {timeout_s:g} s, it still runs")
            tick(time.monotonic() - began)
            time.sleep(0.1)
        if process.exit_code:
            raise ProcessDiedError(process.epitaph())

    def __enter__(self) -> ProcessGroup:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes.values()):
            process.stop()
