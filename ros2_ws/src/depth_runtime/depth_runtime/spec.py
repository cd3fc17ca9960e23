# SPDX-License-Identifier: Apache-2.0
"""The model contract: what a network expects, what it predicts, and where it came from.

The spec travels as JSON in the ONNX metadata key `depth_spec`, so that one file carries everything
that training and the robot must agree on.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, fields
from typing import Any

SCHEMA = 2  # 1 had no `inputs`: they are those of the task
METADATA_KEY = "depth_spec"
UNLABELLED = 255
# What a network's inputs may be named; all are images uint8 [1, H, W, 3] RGB of one size.
INPUTS = {
    "left": "the left view of a rectified pair",
    "right": "the right view of a rectified pair",
    "image": "the view of a single camera",
    "regions": "an image of the left view's regions, as `depth_training sam-masks` paints them; a usam_net that was "
    'trained with network.config.regions "light" or "none" needs none',
}
# The inputs that every network of a task has, and all that a network has whose spec does not name its inputs.
TASKS = {"stereo": ("left", "right"), "mono": ("image",)}
# The output that every network of a task has.
MAIN_OUTPUT = {"stereo": "disparity", "mono": "depth"}
OUTPUTS = ("disparity", "depth", "confidence", "semantic", "instance_center", "instance_offset")


class SpecError(ValueError):
    """A model file or its spec breaks the contract; the message says what to do."""


@dataclass(frozen=True)
class Label:
    """One semantic class.

    color is RGB 0..255; a thing is countable (car, person), stuff is not (road, sky).
    """

    id: int
    name: str
    color: tuple[int, int, int]
    thing: bool = False


@dataclass(frozen=True)
class ModelSpec:
    """Everything that a runtime must know about a network file.

    default_size is (height, width) in pixels; max_disparity is in pixels of the network input;
    canonical_focal_px (mono) is the focal length for which the depth output is metric.
    inputs names the images that the network takes, among INPUTS; none = those of its task. All outputs belong to the
    view of the first one.
    outputs maps each output name to its stride: 1 = input resolution, 4 = a quarter of it.
    instance_offset is (dx, dy) to the instance centre in cells of its own grid.
    """

    name: str
    version: str
    task: str
    size_multiple: int
    default_size: tuple[int, int]
    outputs: dict[str, int]
    max_disparity: float | None = None
    canonical_focal_px: float | None = None
    inputs: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        _require(self.task in TASKS, f"task one of {sorted(TASKS)}", self.task)
        _require(
            isinstance(self.size_multiple, int) and self.size_multiple > 0,
            "size_multiple a positive whole number",
            self.size_multiple,
        )
        _require(
            len(self.default_size) == 2
            and all(isinstance(s, int) and s > 0 and s % self.size_multiple == 0 for s in self.default_size),
            f"default_size (height, width) in multiples of {self.size_multiple}",
            self.default_size,
        )
        object.__setattr__(self, "inputs", tuple(self.inputs or TASKS[self.task]))
        _require(
            len(set(self.inputs)) == len(self.inputs) and set(self.inputs) <= set(INPUTS),
            f"distinct inputs among {list(INPUTS)}",
            list(self.inputs),
        )
        _require(
            set(TASKS[self.task]) <= set(self.inputs),
            f"the inputs {list(TASKS[self.task])} for task '{self.task}'",
            list(self.inputs),
        )
        unknown = sorted(set(self.outputs) - set(OUTPUTS))
        _require(not unknown, f"outputs among {list(OUTPUTS)}", unknown)
        _require(
            all(isinstance(s, int) and s > 0 for s in self.outputs.values()),
            "whole output strides >= 1",
            self.outputs,
        )
        main = MAIN_OUTPUT[self.task]
        _require(main in self.outputs, f"an output '{main}' for task '{self.task}'", list(self.outputs))
        if self.task == "stereo":
            _require(
                isinstance(self.max_disparity, (int, float)) and self.max_disparity > 0,
                "max_disparity > 0 px for a stereo network",
                self.max_disparity,
            )
        else:
            _require(
                isinstance(self.canonical_focal_px, (int, float)) and self.canonical_focal_px > 0,
                "canonical_focal_px > 0 for a mono network",
                self.canonical_focal_px,
            )
        ids = [label.id for label in self.labels]
        _require(
            len(set(ids)) == len(ids) and all(0 <= i < UNLABELLED for i in ids),
            f"distinct label ids 0..{UNLABELLED - 1}",
            ids,
        )

    def require_inputs(self, given: Collection[str]) -> None:
        """Raise SpecError when the network takes an image that is not among `given`, the names that a caller has."""
        missing = [name for name in self.inputs if name not in given]
        if missing:
            raise SpecError(
                f"expected a network of the inputs {list(given)}, got '{self.name}' of {list(self.inputs)}; nothing "
                f"here gives '{missing[0]}' ({INPUTS[missing[0]]}): choose another network"
            )

    def to_json(self) -> str:
        """The text that goes under METADATA_KEY; outputs keep their order."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Parse and check a spec.

        Raises SpecError when the text is not JSON, misses or adds keys, has a value out of range,
        or was written by a newer schema than this code reads.
        """
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise SpecError(
                f"expected JSON under '{METADATA_KEY}', got text that does not parse ({error}); "
                "export the network again with depth_export"
            ) from error
        _require(isinstance(data, dict), "a JSON object", type(data).__name__)
        schema = data.get("schema")
        _require(isinstance(schema, int) and schema > 0, "a schema number", schema)
        if schema > SCHEMA:
            raise SpecError(
                f"expected spec schema {SCHEMA} or older, got {schema}; "
                "update depth_runtime on this machine, or export the network with this version of depth_export"
            )
        known = {f.name for f in fields(cls)}
        unknown, missing = sorted(set(data) - known), sorted(_MANDATORY - set(data))
        _require(not unknown, f"only the keys {sorted(known)}", unknown)
        _require(not missing, f"the keys {sorted(_MANDATORY)}", f"no {', '.join(missing)}")
        try:
            data["default_size"] = tuple(data["default_size"])
            data |= {"inputs": tuple(data.get("inputs", ())), "schema": SCHEMA}
            data["labels"] = tuple(
                Label(**(entry | {"color": tuple(entry["color"])})) for entry in data.get("labels", ())
            )
            return cls(**data)
        except (TypeError, KeyError, AttributeError) as error:
            raise SpecError(
                f"expected a well-formed '{METADATA_KEY}', got {error}; export the network again with depth_export"
            ) from error


_MANDATORY = {"schema", "name", "version", "task", "size_multiple", "default_size", "outputs"}


def _require(condition: bool, expected: str, got: object) -> None:
    if not condition:
        raise SpecError(
            f"expected {expected} in '{METADATA_KEY}', got {got}; export the network again with depth_export"
        )
