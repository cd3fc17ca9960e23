# SPDX-License-Identifier: Apache-2.0
"""Weights stored in half precision, written out in FP32 for parsers that want plain initializers.

Contract files hold such a weight as an FP16 initializer, a Cast and sometimes a Mul by a scale. For TensorRT 8.6 a
kernel that nodes compute is another thing than an initializer, so these few nodes are computed here, in the protobuf
bytes themselves: neither `onnx` nor anything else is needed on a robot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

# Field numbers of onnx.ModelProto, GraphProto, NodeProto, AttributeProto and TensorProto.
_GRAPH = 7
_NODE, _INITIALIZER, _GRAPH_OUTPUT = 1, 5, 12
_INPUT, _OUTPUT, _OPERATOR, _ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_INT = 3
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9
_FLOAT, _HALF = 1, 10
_VARINT, _LENGTH = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}
_NUMPY: dict[int, np.dtype] = {_FLOAT: np.dtype("<f4"), _HALF: np.dtype("<f2")}


class Field(NamedTuple):
    """One protobuf field: its number, its value (an int, or bytes) and its bytes as they stand in the message."""

    number: int
    value: int | bytes
    encoded: bytes

    @property
    def integer(self) -> int:
        """The value of a field that ONNX defines as a number. Raises ValueError where the file says otherwise."""
        if not isinstance(self.value, int):
            raise ValueError(f"expected a number in field {self.number}, got bytes; export the network again")
        return self.value

    @property
    def block(self) -> bytes:
        """The value of a field that ONNX defines as text, bytes or a message. Raises ValueError otherwise."""
        if not isinstance(self.value, bytes):
            raise ValueError(f"expected bytes in field {self.number}, got a number; export the network again")
        return self.value


@dataclass(frozen=True)
class Node:
    """What folding must know of a graph node. to: target type of a Cast, 0 for others."""

    operator: str
    inputs: tuple[str, ...]
    output: str
    to: int


def plain_weights(model: bytes) -> bytes:
    """The same network with each Cast of an FP16 initializer to FP32, and Mul of it by an initializer, computed.

    model: bytes of an ONNX file. Other nodes, and FP16 initializers that the network computes with, stay as they are.
    """
    parts = []
    for field in fields(model):
        parts.append(_tagged(_GRAPH, _fold_graph(field.block)) if field.number == _GRAPH else field.encoded)
    return b"".join(parts)


def precision_of(model: bytes) -> str:
    """What the network computes in, as the file asks: "int8" (quantised), "fp16" or "fp32".

    model: bytes of an ONNX file, after `plain_weights` (FP16 that is only a way to store weights does not count).
    """
    graph = next(field.block for field in fields(model) if field.number == _GRAPH)
    parts = list(fields(graph))
    nodes = [_node(part.block) for part in parts if part.number == _NODE]
    if any(node.operator == "QuantizeLinear" for node in nodes):
        return "int8"
    stored = (_tensor(part.block)[1] for part in parts if part.number == _INITIALIZER)
    half = any(array is not None and array.dtype == np.float16 for array in stored)
    return "fp16" if half or any(node.to == _HALF for node in nodes) else "fp32"


def fields(message: bytes) -> Iterator[Field]:
    """Fields of a protobuf message, in order."""
    view, position = memoryview(message), 0
    while position < len(view):
        start = position
        tag, position = _varint(view, position)
        wire = tag & 7
        value: int | bytes
        if wire == _VARINT:
            value, position = _varint(view, position)
        else:
            size = _FIXED_BYTES.get(wire)
            if size is None:
                size, position = _varint(view, position)
            value = bytes(view[position : position + size])
            position += size
        yield Field(tag >> 3, value, bytes(view[start:position]))


def _fold_graph(graph: bytes) -> bytes:
    parts = list(fields(graph))
    known = dict(_tensor(part.block) for part in parts if part.number == _INITIALIZER)
    halves = {name for name, array in known.items() if array is not None and array.dtype == np.float16}
    nodes = {i: _node(part.block) for i, part in enumerate(parts) if part.number == _NODE}
    folded: dict[str, np.ndarray] = {}
    computed = set()
    for i, node in nodes.items():
        values = [folded.get(name, known.get(name)) for name in node.inputs]
        arrays = [value for value in values if value is not None]
        if node.operator == "Cast" and node.to == _FLOAT and node.inputs[0] in halves:
            folded[node.output] = arrays[0].astype(np.float32)
        elif node.operator == "Mul" and folded.keys() & set(node.inputs) and len(arrays) == len(values):
            folded[node.output] = arrays[0] * arrays[1]
        else:
            continue
        computed.add(i)
    used = {name for i, node in nodes.items() if i not in computed for name in node.inputs}
    used |= {_text(part.block, 1) for part in parts if part.number == _GRAPH_OUTPUT}
    idle = known.keys() - used
    kept = [part.encoded for i, part in enumerate(parts) if i not in computed and not _is_tensor(part, idle)]
    written = [_tagged(_INITIALIZER, _encode(name, array)) for name, array in folded.items() if name in used]
    return b"".join([*kept, *written])


def _is_tensor(part: Field, names: set[str]) -> bool:
    return part.number == _INITIALIZER and _text(part.block, _NAME) in names


def _node(message: bytes) -> Node:
    inputs, output, operator, to = [], "", "", 0
    for field in fields(message):
        if field.number == _INPUT:
            inputs.append(field.block.decode())
        elif field.number == _OUTPUT:
            output = output or field.block.decode()
        elif field.number == _OPERATOR:
            operator = field.block.decode()
        elif field.number == _ATTRIBUTE and _text(field.block, 1) == "to":
            to = next(f.integer for f in fields(field.block) if f.number == _ATTRIBUTE_INT)
    return Node(operator, tuple(inputs), output, to)


def _tensor(message: bytes) -> tuple[str, np.ndarray | None]:
    """Name and array of an initializer; None for types and encodings that folding has nothing to do with."""
    name, kind = "", 0
    shape: list[int] = []
    raw: bytes | None = None
    for field in fields(message):
        if field.number == _NAME:
            name = field.block.decode()
        elif field.number == _TYPE:
            kind = field.integer
        elif field.number == _DIMS:
            shape += [field.value] if isinstance(field.value, int) else _packed(field.value)
        elif field.number == _RAW:
            raw = field.block
    if raw is None or kind not in _NUMPY:
        return name, None
    return name, np.frombuffer(raw, _NUMPY[kind]).reshape(shape)


def _text(message: bytes, number: int) -> str:
    return next((field.block.decode() for field in fields(message) if field.number == number), "")


def _packed(value: bytes) -> list[int]:
    numbers, position = [], 0
    while position < len(value):
        number, position = _varint(memoryview(value), position)
        numbers.append(number)
    return numbers


def _encode(name: str, array: np.ndarray) -> bytes:
    dims = b"".join(_number(_DIMS << 3) + _number(side) for side in array.shape)
    kind = _number(_TYPE << 3) + _number(_FLOAT)
    raw = np.ascontiguousarray(array, "<f4").tobytes()
    return dims + kind + _tagged(_NAME, name.encode()) + _tagged(_RAW, raw)


def _tagged(number: int, value: bytes) -> bytes:
    return _number(number << 3 | _LENGTH) + _number(len(value)) + value


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varint(view: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
