#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ask a node's diagnostics whether it is well: exit code 0 or 1, and the node's own words.

    healthcheck.py [--node /front/stereo_node] [--seconds 5]

Well is a node that reports OK or WARN, and one whose only trouble is that no input comes: a restart would not bring
any. The first status that is well ends the wait, so a node that is well costs about a second of listening.
"""

from __future__ import annotations

import argparse
import os
import time

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor

# With the project's profile this process would reserve shared memory for images that it never sends.
PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")


def is_well(status: DiagnosticStatus) -> bool:
    """Whether a status is no reason to restart its node."""
    if status.level in (DiagnosticStatus.OK, DiagnosticStatus.WARN):
        return True
    silence = next((pair.value for pair in status.values if pair.key == "silence"), "")
    # The message is the worst that the node knows of, so nothing is worse than the silence when both are one text.
    return status.level == DiagnosticStatus.ERROR and bool(silence) and status.message == silence


def ask(node_name: str, seconds: float) -> tuple[bool, str]:
    """Listen to /diagnostics; whether the node is well, and why."""
    heard: list[DiagnosticStatus] = []

    def keep(array: DiagnosticArray) -> None:
        heard.extend(status for status in array.status if status.name.startswith(f"{node_name}: "))

    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        node = rclpy.create_node(
            f"depth_healthcheck_{os.getpid()}", context=context, enable_rosout=False, start_parameter_services=False
        )
        node.create_subscription(DiagnosticArray, "/diagnostics", keep, 10)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not (heard and is_well(heard[-1])):
            executor.spin_once(timeout_sec=0.2)
        node.destroy_node()
    finally:
        rclpy.try_shutdown(context=context)
    if not heard:
        return False, f"no diagnostics of {node_name} in {seconds:g} s; is its name right, and ROS_DOMAIN_ID the same?"
    return is_well(heard[-1]), heard[-1].message


def main() -> int:
    """Print the verdict; exit code 0 = well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    namespace = os.environ.get("DEPTH_NAMESPACE", "").strip("/")
    default = f"/{namespace}/stereo_node" if namespace else "/stereo_node"
    parser.add_argument("--node", default=default, help=f"full name of the node (default: {default})")
    parser.add_argument("--seconds", type=float, default=5.0, help="longest wait (default: 5)")
    arguments = parser.parse_args()
    for variable in PROFILE_VARIABLES:
        os.environ.pop(variable, None)
    well, message = ask(arguments.node, arguments.seconds)
    print(message)
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())
