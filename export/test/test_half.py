# SPDX-License-Identifier: Apache-2.0
"""FP16 files compute in FP16 where that is harmless, take and give FP32's types, and become engines."""

import numpy as np
import onnx
import onnxruntime
import pytest
from depth_export import half_command
from depth_export.cli import main
from depth_export.half import halve
from depth_runtime.backends.cuda_runtime import Gpu
from depth_runtime.backends.tensorrt_api import TensorRt, library_missing
from depth_runtime.backends.tensorrt_build import build_engine, engine_key
from depth_runtime.onnx_file import read_spec, sha256
from depth_runtime.zoo import resolve_model
from onnx import TensorProto, helper, numpy_helper

HALF, FLOAT = TensorProto.FLOAT16, TensorProto.FLOAT


@pytest.fixture(scope="module")
def halved(tmp_path_factory):
    path = tmp_path_factory.mktemp("half") / "stereo_s_fp16.onnx"
    assert main(["halve", "--model", "stereo_s", "--out", str(path)]) == 0
    return path


def test_convolutions_run_in_half_precision_and_interfaces_stay(halved):
    graph, before = onnx.load(halved).graph, onnx.load(resolve_model("stereo_s")).graph
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
    assert {kinds[node.input[1]] for node in graph.node if node.op_type == "Conv"} == {HALF}
    for ours, theirs in ((graph.input, before.input), (graph.output, before.output)):
        assert [(v.name, v.type.tensor_type.elem_type) for v in ours] == [
            (v.name, v.type.tensor_type.elem_type) for v in theirs
        ]
    spec = read_spec(halved)
    assert spec.training["precision"].startswith("fp16")
    assert spec.training["source_sha256"] == sha256(resolve_model("stereo_s"))
    assert spec.metrics == read_spec(resolve_model("stereo_s")).metrics


@pytest.mark.skipif(bool(library_missing("tensorrt_rtx")), reason=library_missing("tensorrt_rtx"))
def test_the_file_becomes_a_smaller_engine_that_is_keyed_as_fp16(halved):
    rtx = TensorRt.load("tensorrt_rtx")
    sizes = []
    for path, precision in ((halved, "fp16"), (resolve_model("stereo_s"), "fp32")):
        key = engine_key(rtx, path, (192, 320), Gpu("", "8.9"))
        assert key.precision == precision
        sizes.append(len(build_engine(rtx, path, key)))
    assert sizes[0] < 0.85 * sizes[1]


def small_model(scale: float) -> onnx.ModelProto:
    """A convolution by `scale`, bounded, then a sum that must not run in FP16; image uint8 [1, 3, 8, 8]."""
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=FLOAT),
        helper.make_node("Conv", ["pixels", "kernel"], ["scaled"]),
        helper.make_node("Relu", ["scaled"], ["bounded"]),
        helper.make_node("ReduceSum", ["bounded", "axes"], ["total"], keepdims=0),
    ]
    kernel = np.full((4, 3, 1, 1), scale, np.float32)
    constants = {"kernel": kernel, "axes": np.array([2, 3])}
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("total", FLOAT, [1, 4])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_sum_beyond_the_range_of_half_precision_is_exact():
    model = small_model(scale=2.0)
    image = np.full((1, 3, 8, 8), 250, np.uint8)
    result = halve(model.SerializeToString())
    operators = {node.op_type: node for node in result.graph.node}
    assert operators["Relu"].input[0] == "scaled.half"
    assert operators["ReduceSum"].input[0] == "bounded"
    (total,) = onnxruntime.InferenceSession(result.SerializeToString()).run(None, {"image": image})
    assert total.tolist() == [[96000.0] * 4]  # 250 * 2 * 3 channels * 64 pixels; FP16 ends at 65504


def test_a_file_that_predicts_otherwise_is_refused_in_one_line_and_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(half_command.LIMITS, "relative_depth p99.9", 1e-6)
    assert main(["halve", "--model", "stereo_s", "--out", str(tmp_path / "half.onnx")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("depth_export halve: expected 'relative_depth p99.9' within 1e-06 of FP32, got 0.0")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_in_fp32_is_refused(halved, tmp_path):
    with pytest.raises(ValueError, match=r"in FP32, got .*stereo_s_fp16\.onnx in fp16"):
        half_command.halve_file(halved, tmp_path / "half.onnx")


def test_the_gate_sees_one_pixel_in_five_hundred_beside_and_forgives_one_in_two_thousand():
    wanted = {"disparity": np.full((1, 50, 100), 40, np.float32)}
    for wrong, refused in ((2, False), (10, True)):
        prediction = wanted["disparity"].copy()
        prediction.ravel()[:wrong] += 0.3
        assert (half_command.differences({"disparity": prediction}, wanted)["disparity p99.9"] > 0.25) == refused
    far = {"disparity": np.full((1, 5, 8), 4, np.float32)}
    worst = half_command.differences({"disparity": far["disparity"] - np.float32(0.1)}, far)
    assert worst["disparity p99.9"] == pytest.approx(0.1, abs=1e-6)
    assert worst["relative_depth p99.9"] == pytest.approx(4 / 3.9 - 1, abs=1e-6)


def test_a_depth_is_gated_by_its_relative_error():
    wanted = {"depth": np.array([[[2.0, 50.0]]], np.float32).repeat(50, 1)}
    worst = half_command.differences({"depth": wanted["depth"] * np.float32(1.03)}, wanted)
    assert worst == {"relative_depth p99.9": pytest.approx(0.03, abs=1e-6)}
    assert worst.keys() <= half_command.LIMITS.keys()
