# SPDX-License-Identifier: Apache-2.0
"""Services of a running node: its lifecycle and its parameters."""

from __future__ import annotations

import time
from typing import Any

import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterDescriptor, ParameterValue, SetParametersResult
from rcl_interfaces.srv import DescribeParameters, SetParameters
from rclpy.node import Node
from rclpy.task import Future

_KINDS = {
    "change_state": ChangeState,
    "set_parameters": SetParameters,
    "describe_parameters": DescribeParameters,
    "get_state": GetState,
}
_VALUES = {bool: ("bool_value", 1), int: ("integer_value", 2), float: ("double_value", 3), str: ("string_value", 4)}
# A request that may be repeated is asked again after this: its response gets lost where the node had not found us yet.
_ASK_AGAIN_S = 5.0


class NodeControl:
    """Clients of one node, made before the node starts, so that it finds all of them at once."""

    def __init__(self, node: Node, target: str, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._clients = {name: node.create_client(kind, f"{target}/{name}") for name, kind in _KINDS.items()}

    def _ask(self, name: str, request: Any) -> Any:
        """Response to a request that does no harm when it is repeated."""
        deadline = time.monotonic() + self._timeout_s
        while time.monotonic() < deadline:
            future = self._send(name, request)
            again = time.monotonic() + _ASK_AGAIN_S
            while time.monotonic() < min(again, deadline):
                if future.done():
                    return future.result()
                time.sleep(0.01)
        pytest.fail(f"{name} did not respond in {self._timeout_s} s")

    def _send(self, name: str, request: Any) -> Future:
        client = self._clients[name]
        assert client.wait_for_service(self._timeout_s), f"no service {name} in {self._timeout_s} s"
        return client.call_async(request)

    def state(self) -> str:
        """Label of the node's state."""
        return self._ask("get_state", GetState.Request()).current_state.label

    def begin(self, transition: int) -> Future:
        """Ask for a transition without waiting for it."""
        self.state()  # the node has found our clients once it responds to the one that was made last
        return self._send("change_state", ChangeState.Request(transition=Transition(id=transition)))

    def finish(self, future: Future) -> bool:
        """Whether a transition that was begun succeeded."""
        deadline = time.monotonic() + self._timeout_s
        while not future.done():
            if time.monotonic() > deadline:
                pytest.fail(f"change_state did not respond in {self._timeout_s} s")
            time.sleep(0.01)
        return future.result().success

    def transition(self, number: int) -> bool:
        """Ask for a transition and wait for it; whether it succeeded."""
        return self.finish(self.begin(number))

    def set_parameter(self, name: str, value: Any) -> SetParametersResult:
        field, kind = _VALUES[type(value)]
        change = Parameter(name=name, value=ParameterValue(type=kind, **{field: value}))
        return self._ask("set_parameters", SetParameters.Request(parameters=[change])).results[0]

    def describe(self, names: list[str]) -> list[ParameterDescriptor]:
        return self._ask("describe_parameters", DescribeParameters.Request(names=names)).descriptors
