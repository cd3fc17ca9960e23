# SPDX-License-Identifier: Apache-2.0
"""Run a lifecycle node until a signal: autostart, spin, clean end with exit code 0."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

import rclpy
from rclpy.exceptions import NameValidationException, ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn

from .worker import worker_is_alive


def run(make_node: Callable[[], LifecycleNode], args: list[str] | None = None) -> int:
    """Spin the node. Exit code 0 after SIGINT or SIGTERM, 2 for settings that cannot work."""
    # rclpy's own handler, installed by init, ends the executor. Python's would also raise KeyboardInterrupt, and once
    # more amid the cleanup: where there is no terminal, `ros2 launch` hands every Ctrl-C on a second time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    code = _run(make_node, args)
    if worker_is_alive():
        # A thread amid inference cannot be ended, and the interpreter's own end would pull the library out from under
        # it (SIGABRT). All that others see of this process is taken down by now.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _run(make_node: Callable[[], LifecycleNode], args: list[str] | None) -> int:
    try:
        rclpy.init(args=args)
    except rclpy_implementation.RCLError as error:
        return _usage_error(error)
    try:
        return _live(make_node)
    except ExternalShutdownException:
        return 0
    except Exception:
        if rclpy.ok():  # otherwise a signal took the context away under the node's feet
            raise
        return 0
    finally:
        rclpy.try_shutdown()


def _live(make_node: Callable[[], LifecycleNode]) -> int:
    try:
        node = make_node()
    except (ValueError, ParameterException, NameValidationException) as error:
        return _usage_error(error)
    try:
        _spin(node)
    finally:
        node.destroy_node()
    return 0


def _usage_error(error: Exception) -> int:
    print(f"[ERROR] {' '.join(str(error).split())}", file=sys.stderr)
    return 2


def _spin(node: LifecycleNode) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    if node.get_parameter("autostart").value and node.trigger_configure() == TransitionCallbackReturn.SUCCESS:
        node.trigger_activate()
    executor.spin()
