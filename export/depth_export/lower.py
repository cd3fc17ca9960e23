# SPDX-License-Identifier: Apache-2.0
"""From opset 18, which torch writes, to opset 17 in the words that TensorRT 8.6 understands as well.

Its parser (JetPack 6's) takes a graph of opset 18 without complaint and gets it wrong: it does not see `start` and
`end` of a Shape nor the axes of a ReduceMax that became an input. It knows uint8 only in a cast from or to floats, and
kernels only as initializers. What is written here computes the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

OPSET = 17
_IR_VERSION = 8


def lower(model: onnx.ModelProto) -> onnx.ModelProto:
    """Rewrite a graph of opset 18 in place and return it.

    Raises ValueError for an operator whose meaning changed in opset 18 and that nothing here translates.
    """
    graph = _Graph(model)
    nodes = [new for node in model.graph.node for new in _translate(node, graph)]
    first = set(graph.casts.values())
    nodes.sort(key=lambda node: node.output[0] not in first)  # the images' casts, which now also serve shapes
    used = {name for node in nodes for name in node.input} | {value.name for value in model.graph.output}
    del model.graph.node[:]
    model.graph.node.extend(node for node in nodes if used & set(node.output))
    constants = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(constants)
    del model.opset_import[:]
    model.opset_import.append(helper.make_opsetid("", OPSET))
    model.ir_version = _IR_VERSION
    return model


class _Graph:
    """What a translation must know: constants by name, shapes by name, who casts the images, and names to spare."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.tensors = model.graph.initializer
        self.constants = {t.name: numpy_helper.to_array(t) for t in self.tensors}
        known = onnx.shape_inference.infer_shapes(model).graph
        values = (*known.value_info, *known.output)
        self.shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
        self.producers = {output: node for node in model.graph.node for output in node.output}
        images = {value.name for value in model.graph.input}
        self.casts = {n.input[0]: n.output[0] for n in model.graph.node if n.op_type == "Cast" and n.input[0] in images}

    def constant(self, name: str, value: np.ndarray) -> str:
        """Name of a new initializer."""
        self.tensors.append(numpy_helper.from_array(value, name))
        return name


def _translate(node: NodeProto, graph: _Graph) -> Iterator[NodeProto]:
    if node.op_type in _TRANSLATIONS:
        yield from _TRANSLATIONS[node.op_type](node, graph)
        return
    if onnx.defs.get_schema(node.op_type, OPSET + 1).since_version > OPSET and node.op_type not in _SAME:
        raise ValueError(
            f"expected operators that opset {OPSET} has, or one of {sorted(_TRANSLATIONS)}, got {node.op_type} "
            f"('{node.name}'); translate it in depth_export.lower"
        )
    yield node


def _shape(node: NodeProto, graph: _Graph) -> Iterator[NodeProto]:
    """All sides, then a slice of them; of the image's cast, for a uint8 tensor must meet nothing else."""
    start, end = _pop(node, "start") or 0, _pop(node, "end")
    node.input[0] = graph.casts.get(node.input[0], node.input[0])
    if start == 0 and end is None:
        yield node
        return
    name = node.output[0]
    node.output[0] = f"{name}.sides"
    bounds = [start, np.iinfo(np.int64).max if end is None else end, 0]
    begin, stop, axis = (graph.constant(f"{name}.{i}", np.array([b], np.int64)) for i, b in enumerate(bounds))
    yield node
    yield helper.make_node("Slice", [node.output[0], begin, stop, axis], [name], f"{name}.slice")


def _reduce(node: NodeProto, graph: _Graph) -> Iterator[NodeProto]:
    """Axes as an attribute."""
    _pop(node, "noop_with_empty_axes")
    if len(node.input) > 1:
        axes = graph.constants[node.input.pop()]
        node.attribute.append(helper.make_attribute("axes", axes.tolist()))
    yield node


def _split(node: NodeProto, graph: _Graph) -> Iterator[NodeProto]:
    """Sizes instead of a number of parts; a constant is cut here, since it is a convolution's kernel."""
    axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
    _pop(node, "num_outputs")
    if len(node.input) == 1:
        sizes = np.array([graph.shapes[output][axis] for output in node.output], np.int64)
        if not sizes.all():
            raise ValueError(f"expected parts of known size from the Split '{node.name}', got {sizes.tolist()}")
        graph.constants[f"{node.output[0]}.sizes"] = sizes
        node.input.append(graph.constant(f"{node.output[0]}.sizes", sizes))
    whole = graph.constants.get(node.input[0])
    if whole is None:
        yield node
        return
    cuts = np.cumsum(graph.constants[node.input[1]])[:-1]
    for name, part in zip(node.output, np.split(whole, cuts, axis), strict=True):
        graph.constant(name, np.ascontiguousarray(part))


def _resize(node: NodeProto, graph: _Graph) -> Iterator[NodeProto]:
    """Without the two attributes of opset 18, which must say what was the rule before."""
    antialias, policy = _pop(node, "antialias"), _pop(node, "keep_aspect_ratio_policy")
    if antialias or policy not in (None, b"stretch"):
        raise ValueError(f"expected a plain Resize, got antialias {antialias} and {policy} in '{node.name}'")
    yield node


def _range(node: NodeProto, graph: _Graph) -> Iterator[NodeProto]:
    """Counted in whole numbers where the floats are whole ones: lengths cannot hang on floats in TensorRT 8.6."""
    limit = graph.producers.get(node.input[1])
    ends = [graph.constants.get(name) for name in (node.input[0], node.input[2])]
    whole = all(end is not None and end.dtype == np.float32 and end == np.round(end) for end in ends)
    if not whole or limit is None or limit.op_type != "Cast":
        yield node
        return
    name = node.output[0]
    start, step = (graph.constant(f"{name}.{i}", end.astype(np.int64)) for i, end in enumerate(ends))
    yield helper.make_node("Range", [start, limit.input[0], step], [f"{name}.whole"], node.name)
    yield helper.make_node("Cast", [f"{name}.whole"], [name], f"{name}.float", to=TensorProto.FLOAT)


def _cast(node: NodeProto, graph: _Graph) -> Iterator[NodeProto]:
    """Class ids go to uint8 by way of floats."""
    source = graph.producers.get(node.input[0])
    target = next(a.i for a in node.attribute if a.name == "to")
    if target == TensorProto.UINT8 and source is not None and source.op_type == "ArgMax":
        name = f"{node.output[0]}.float"
        yield helper.make_node("Cast", [node.input[0]], [name], name, to=TensorProto.FLOAT)
        node.input[0] = name
    yield node


def _pop(node: NodeProto, name: str) -> int | bytes | None:
    """Value of an attribute that the node loses, None if it has none."""
    for attribute in node.attribute:
        if attribute.name == name:
            node.attribute.remove(attribute)
            return helper.get_attribute_value(attribute)
    return None


_TRANSLATIONS: dict[str, Callable[[NodeProto, _Graph], Iterator[NodeProto]]] = {
    "Cast": _cast,
    "Range": _range,
    "Resize": _resize,
    "Shape": _shape,
    "Split": _split,
    **dict.fromkeys(("ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd"), _reduce),
}
# Operators of opset 18 that differ in what our graphs do not use (an axes input of Pad, which the checker refuses).
_SAME = {"Pad"}
