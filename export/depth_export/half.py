# SPDX-License-Identifier: Apache-2.0
"""The same network in half precision, typed in the graph itself, so that every TensorRT computes what the file says.

Convolutions and what only moves or bounds their results run in FP16. Sums over many terms, exponentials, divisions and
everything that knows pixel coordinates or disparities stays FP32: FP16 has steps of 1/8 px beyond 128 px.
"""

from __future__ import annotations

import numpy as np
import onnx
from depth_runtime.backends.plain_weights import plain_weights
from onnx import NodeProto, TensorProto, helper, numpy_helper

# Always in FP16, and in FP16 where all that flows in is: operator -> number of its inputs that have the data's type.
_SEEDS = {"Conv": 3, "ConvTranspose": 3}
_FOLLOWERS = {
    **dict.fromkeys(("Clip", "Add", "Mul", "Concat"), 99),
    **dict.fromkeys(
        ("Relu", "LeakyRelu", "MaxPool", "Slice", "Resize", "Pad", "Transpose", "Reshape", "DepthToSpace"), 1
    ),
    **dict.fromkeys(("Squeeze", "Unsqueeze", "Split", "Gather"), 1),
}


def halve(model: bytes) -> onnx.ModelProto:
    """Graph with FP16 convolutions that takes and gives the same types.

    model: bytes of an ONNX file that computes in FP32.
    """
    plain = onnx.load_from_string(plain_weights(model))
    graph = _Halved(plain)
    for node in plain.graph.node:
        graph.add(node)
    for value in plain.graph.output:
        graph.as_float(value.name)
    used = {name for node in graph.nodes for name in node.input}
    constants = [tensor for tensor in (*plain.graph.initializer, *graph.constants) if tensor.name in used]
    for field, values in ((plain.graph.node, graph.nodes), (plain.graph.initializer, constants)):
        del field[:]
        field.extend(values)
    return plain


class _Halved:
    """Nodes of the new graph, and which tensors exist in which type."""

    def __init__(self, model: onnx.ModelProto) -> None:
        inferred = onnx.shape_inference.infer_shapes(model).graph
        values = (*inferred.value_info, *inferred.input, *inferred.output)
        self._floats = {v.name for v in values if v.type.tensor_type.elem_type == TensorProto.FLOAT}
        floats = (t for t in model.graph.initializer if t.data_type == TensorProto.FLOAT)
        self._weights = {t.name: numpy_helper.to_array(t) for t in floats}
        self._halves: dict[str, str] = {}  # FP32 name -> name in FP16
        self._only_half: set[str] = set()
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, node: NodeProto) -> None:
        """Append a node in the type that it belongs to, with the casts that it needs."""
        typed = _SEEDS.get(node.op_type) or _FOLLOWERS.get(node.op_type, 0)
        data = [name for name in node.input[:typed] if name in self._floats and name not in self._weights]
        follows = bool(data) and self._only_half.issuperset(data)
        if node.op_type in _SEEDS or (node.op_type in _FOLLOWERS and follows):
            for i, name in enumerate(node.input[:typed]):
                node.input[i] = self._as_half(name)
            for i, name in enumerate(node.output):
                self._halves[name] = node.output[i] = f"{name}.half"
                self._only_half.add(name)
        else:
            for name in node.input:
                self.as_float(name)
        self.nodes.append(node)

    def as_float(self, name: str) -> None:
        """See to it that a tensor exists in FP32 under its own name."""
        if name in self._only_half:
            self._only_half.remove(name)
            self.nodes.append(_cast(self._halves[name], name, TensorProto.FLOAT))

    def _as_half(self, name: str) -> str:
        if name and name not in self._halves:
            self._halves[name] = f"{name}.half"
            if name in self._weights:
                half = self._weights[name].astype(np.float16)
                self.constants.append(numpy_helper.from_array(half, f"{name}.half"))
            else:
                self.nodes.append(_cast(name, f"{name}.half", TensorProto.FLOAT16))
        return self._halves.get(name, name)


def _cast(source: str, target: str, kind: int) -> NodeProto:
    return helper.make_node("Cast", [source], [target], f"{target}.cast", to=kind)
