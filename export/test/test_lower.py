# SPDX-License-Identifier: Apache-2.0
"""Lowered graphs compute the same, in words that every supported TensorRT understands."""

import numpy as np
import onnx
import onnxruntime
import pytest
from depth_export.lower import lower
from onnx import TensorProto, helper, numpy_helper

HEIGHT, WIDTH = 5, 7
FLOAT4 = (TensorProto.FLOAT, 4)


def make_model(nodes: list, outputs: dict[str, tuple[int, int]], **constants: np.ndarray) -> onnx.ModelProto:
    """Graph of opset 18 on `image`, uint8 [1, H, W, 3]; outputs: name -> (element type, number of sides)."""
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "H", "W", 3])
    results = [helper.make_tensor_value_info(n, kind, [None] * sides) for n, (kind, sides) in outputs.items()]
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "small", [image], results, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def check_same_outputs(model: onnx.ModelProto) -> onnx.ModelProto:
    """Lower the model, compare its outputs before and after, and return it."""
    image = np.random.default_rng(3).integers(0, 256, (1, HEIGHT, WIDTH, 3), np.uint8)
    before = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"image": image})
    lower(model)
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 17
    after = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"image": image})
    for first, second in zip(before, after, strict=True):
        np.testing.assert_array_equal(first, second)
    return model


def cast() -> onnx.NodeProto:
    return helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT)


@pytest.mark.parametrize("sides", [{"start": 1, "end": 3}, {"start": 2}, {"start": -3, "end": -1}, {"start": 0}, {}])
def test_some_sides_of_an_image_are_cut_from_all_sides_of_its_cast(sides):
    shape = helper.make_node("Shape", ["image"], ["sides"], **sides)
    model = make_model([shape, cast()], {"sides": (TensorProto.INT64, 1), "pixels": FLOAT4})
    check_same_outputs(model)
    assert [node.op_type for node in model.graph.node if "image" in node.input] == ["Cast"]
    assert not any(node.attribute for node in model.graph.node if node.op_type == "Shape")


@pytest.mark.parametrize("operator", ["ReduceMax", "ReduceMean", "ReduceMin"])
def test_axes_of_a_reduction_become_an_attribute(operator):
    node = helper.make_node(operator, ["pixels", "axes"], ["result"], keepdims=0)
    model = make_model([cast(), node], {"result": (TensorProto.FLOAT, 2)}, axes=np.array([1, 3]))
    check_same_outputs(model)
    (reduction,) = (node for node in model.graph.node if node.op_type == operator)
    assert list(reduction.input) == ["pixels"]
    assert next(a for a in reduction.attribute if a.name == "axes").ints == [1, 3]


def test_a_kernel_that_is_split_becomes_two_kernels():
    nodes = [
        cast(),
        helper.make_node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Split", ["kernel", "parts"], ["near", "far"], axis=0),
        helper.make_node("Conv", ["planes", "near"], ["a"]),
        helper.make_node("Conv", ["planes", "far"], ["b"]),
    ]
    kernel = np.random.default_rng(0).normal(size=(5, 3, 3, 3)).astype(np.float32)
    model = make_model(nodes, {"a": FLOAT4, "b": FLOAT4}, kernel=kernel, parts=np.array([2, 3]))
    check_same_outputs(model)
    assert {tensor.name: tensor.dims[0] for tensor in model.graph.initializer} == {"near": 2, "far": 3}


def test_a_number_of_parts_becomes_their_sizes():
    node = helper.make_node("Split", ["pixels"], ["a", "b"], axis=3, num_outputs=2)
    model = make_model([cast(), node], {"a": FLOAT4, "b": FLOAT4})
    check_same_outputs(model)
    assert numpy_helper.to_array(model.graph.initializer[0]).tolist() == [2, 1]


def test_floats_in_a_row_are_counted_in_whole_numbers():
    nodes = [
        cast(),
        helper.make_node("Shape", ["pixels"], ["width"], start=2, end=3),
        helper.make_node("Squeeze", ["width"], ["limit"]),
        helper.make_node("Cast", ["limit"], ["limit_float"], to=TensorProto.FLOAT),
        helper.make_node("Range", ["zero", "limit_float", "two"], ["columns"]),
    ]
    model = make_model(nodes, {"columns": (TensorProto.FLOAT, 1)}, zero=np.float32(0), two=np.float32(2))
    check_same_outputs(model)
    assert "limit_float" not in {name for node in model.graph.node for name in node.output}


def test_class_ids_reach_uint8_by_way_of_floats():
    nodes = [
        cast(),
        helper.make_node("ArgMax", ["pixels"], ["ids"], axis=3, keepdims=0),
        helper.make_node("Cast", ["ids"], ["semantic"], to=TensorProto.UINT8),
    ]
    model = make_model(nodes, {"semantic": (TensorProto.UINT8, 3)})
    check_same_outputs(model)
    assert [a.i for node in model.graph.node for a in node.attribute if a.name == "to"] == [
        *(TensorProto.FLOAT, TensorProto.FLOAT, TensorProto.UINT8)
    ]


def test_an_operator_that_only_opset_18_has_is_refused():
    node = helper.make_node("CenterCropPad", ["pixels", "size"], ["cut"], axes=[1])
    model = make_model([cast(), node], {"cut": FLOAT4}, size=np.array([3]))
    with pytest.raises(ValueError, match="got CenterCropPad"):
        lower(model)


def test_a_resize_that_smooths_is_refused():
    node = helper.make_node("Resize", ["pixels", "", "half"], ["small"], mode="linear", antialias=1)
    model = make_model([cast(), node], {"small": FLOAT4}, half=np.array([1, 0.5, 0.5, 1], np.float32))
    with pytest.raises(ValueError, match="got antialias 1"):
        lower(model)
