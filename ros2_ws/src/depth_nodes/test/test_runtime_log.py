# SPDX-License-Identifier: Apache-2.0
"""The runtime's words reach the node's log with their severity."""

import logging

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from depth_nodes.runtime_log import forward_runtime_log
from rclpy.logging import get_logger


def test_records_of_the_runtime_are_forwarded_until_stopped(capfd):
    stop = forward_runtime_log(get_logger("stereo_node"))
    log = logging.getLogger("depth_runtime.backends.tensorrt_build")
    log.info("building %s: %d s", "stereo_s", 15)
    log.warning("read-only")
    log.error("failed")
    log.debug("a detail")
    stop()
    log.error("too late")
    out, err = capfd.readouterr()
    lines = [line for line in (out + err).splitlines() if "[stereo_node]" in line]
    assert [line.split("]")[0] + line.rsplit("]", 1)[1] for line in lines] == [
        "[INFO: building stereo_s: 15 s",
        "[WARN: read-only",
        "[ERROR: failed",
    ]
