# SPDX-License-Identifier: Apache-2.0
"""What the runtime logs (an engine that is being built, a cache that cannot be written) in the node's log."""

from __future__ import annotations

import logging
from collections.abc import Callable

from rclpy.impl.rcutils_logger import RcutilsLogger


def forward_runtime_log(logger: RcutilsLogger) -> Callable[[], None]:
    """Give depth_runtime's log records from INFO up to a ROS logger; call what is returned to stop."""
    runtime, handler = logging.getLogger("depth_runtime"), _RosHandler(logger)
    runtime.addHandler(handler)
    runtime.setLevel(logging.INFO)
    return lambda: runtime.removeHandler(handler)


class _RosHandler(logging.Handler):
    def __init__(self, logger: RcutilsLogger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        # One line for each severity: rclpy refuses a call site whose severity changes.
        text = self.format(record)
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        else:
            self._logger.info(text)
