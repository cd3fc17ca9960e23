# SPDX-License-Identifier: Apache-2.0
"""ROS parameters of a node from one table: its settings class and the toggles of its outputs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import ParameterException
from rclpy.node import Node

from .qos import PREFIX

if TYPE_CHECKING:
    from .settings import Settings

TOGGLE_PREFIX = "publish."
# Parameters that rclpy declares itself.
_ROS_OWN = ("use_sim_time", "start_type_description_service")
_TYPE_WORDS = {bool: "true or false", int: "a whole number", float: "a number with a point (20.0)", str: "a text"}


@dataclass(frozen=True)
class Parameter:
    """One declared parameter. `limits` is the closed range of a number; `choices` the values of a string."""

    name: str
    default: Any
    meaning: str
    dynamic: bool = False
    limits: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()

    def descriptor(self) -> ParameterDescriptor:
        """What `ros2 param describe` shows."""
        change = "can change while running" if self.dynamic else "takes effect when the node is configured"
        descriptor = ParameterDescriptor(name=self.name, description=f"{self.meaning}; {change}")
        if self.choices:
            descriptor.additional_constraints = "one of: " + ", ".join(self.choices)
        if self.limits and isinstance(self.default, int):
            descriptor.integer_range = [IntegerRange(from_value=int(self.limits[0]), to_value=int(self.limits[1]))]
        elif self.limits:
            low, high = map(float, self.limits)
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
        return descriptor

    def expected(self) -> str:
        """Its type and range in words."""
        words = _TYPE_WORDS[type(self.default)]
        return f"{words} from {self.limits[0]:g} to {self.limits[1]:g}" if self.limits else words


def parameter(
    default: Any,
    meaning: str,
    dynamic: bool = False,
    limits: tuple[float, float] | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A field of a settings class that is the parameter of its name; see `Parameter`."""
    return field(default=default, metadata={"parameter": (meaning, dynamic, limits, choices)})


S = TypeVar("S", bound="Settings")


class ParameterTable(Generic[S]):
    """The parameters of one kind of node: a field of its settings class each, and `publish.NAME` for each toggle."""

    def __init__(self, settings: type[S], toggles: Iterable[str]) -> None:
        self._settings = settings
        own = [Parameter(f.name, f.default, *f.metadata["parameter"]) for f in fields(settings) if f.metadata]
        switches = [
            Parameter(TOGGLE_PREFIX + name, True, f"publish {name} when somebody subscribes", True) for name in toggles
        ]
        self.by_name: Mapping[str, Parameter] = {p.name: p for p in (*own, *switches)}

    def declare(self, node: Node) -> S:
        """Declare every parameter and return the settings that the node starts with.

        Raises ValueError for an override that no parameter has the name of, of a wrong type or out of its range.
        """
        overrides = node._parameter_overrides
        unknown = sorted(
            name
            for name in overrides
            if name not in self.by_name and name not in _ROS_OWN and not name.startswith(PREFIX)
        )
        if unknown:
            raise ValueError(
                f"expected parameters among {sorted(self.by_name)}, got {', '.join(unknown)}; "
                "correct the name in the params_file or on the command line"
            )
        for entry in self.by_name.values():
            try:
                value = node.declare_parameter(entry.name, entry.default, entry.descriptor()).value
            except ParameterException as error:
                raise ValueError(
                    f"expected {entry.name} as {entry.expected()}, got {overrides[entry.name].value!r}; "
                    "correct it in the params_file or on the command line"
                ) from error
            self._check(entry, value)
        settings = self.read(node)
        settings.check()
        return settings

    def read(self, node: Node) -> S:
        """Settings made of the node's current parameters."""
        return self._merge(self._settings(), {name: node.get_parameter(name).value for name in self.by_name})

    def changed(self, current: S, changes: Mapping[str, Any], running: bool) -> S:
        """New settings with some parameters changed; names that are not in the table are passed over.

        Types and ranges are rclpy's to check. Raises ValueError, its text the reason, for what must be refused.
        """
        known = {name: value for name, value in changes.items() if name in self.by_name}
        for name, value in known.items():
            entry = self.by_name[name]
            if running and not entry.dynamic and value != getattr(current, name):  # toggles are dynamic
                raise ValueError(
                    f"{name} takes effect when the node is configured: deactivate and clean up the node, then set it"
                )
            self._check(entry, value)
        settings = self._merge(current, known)
        settings.check()
        return settings

    def _merge(self, current: S, values: Mapping[str, Any]) -> S:
        own, publish = {}, set(current.publish)
        for name, value in values.items():
            if not name.startswith(TOGGLE_PREFIX):
                own[name] = value
            elif value:
                publish.add(name.removeprefix(TOGGLE_PREFIX))
            else:
                publish.discard(name.removeprefix(TOGGLE_PREFIX))
        return replace(current, publish=frozenset(publish), **own)

    @staticmethod
    def _check(entry: Parameter, value: Any) -> None:
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"expected {entry.name} as {entry.expected()}, got {value}")
        if entry.choices and value not in entry.choices:
            raise ValueError(f"expected {entry.name} one of {list(entry.choices)}, got '{value}'")
