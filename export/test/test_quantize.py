# SPDX-License-Identifier: Apache-2.0
"""INT8 files: what computes in INT8, what the gate refuses, what the spec says about it."""

import hashlib
import logging
import re
from dataclasses import replace

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from depth_export.cli import main
from depth_export.export import export_contract
from depth_export.int8_gate import Gate, QuantisationError
from depth_export.int8_graph import INT8_FORMATS, parts_of, with_neighbours
from depth_export.matched_pair import matched_pair
from depth_export.pairs import read_pairs
from depth_export.probe import mono_probe_spec, probe_spec, write_probe
from depth_export.quantize import quantize_file
from depth_export.quantize_command import split
from depth_models.blocks import ConvBlock
from depth_runtime.backends import BackendError
from depth_runtime.backends.cuda_runtime import Gpu
from depth_runtime.backends.tensorrt_api import TensorRt, library_missing
from depth_runtime.backends.tensorrt_build import build_engine, engine_key
from depth_runtime.onnx_file import read_spec
from depth_runtime.spec import SpecError
from onnx import TensorProto, helper
from tiny_spec import TINY_SPEC
from torch import nn


class Tiny(nn.Module):
    """Convolutions of the pair, one of them depthwise, then arithmetic: about 20 px everywhere."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        first = nn.Sequential(ConvBlock(6, 16), ConvBlock(16, 16, groups=16))
        self.network = nn.ModuleDict({"first": first, "last": nn.Conv2d(16, 1, 1)})

    def forward(self, left, right):
        pair = torch.cat([image.float().permute(0, 3, 1, 2) / 128 - 1 for image in (left, right)], 1)
        return ((self.network["last"](self.network["first"](pair))[:, 0] * 3 + 20).clamp(min=0),)


class Confident(Tiny):
    """Tiny with a confidence of its own convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.network["sure"] = nn.Conv2d(6, 1, 5, padding=2, bias=False)

    def forward(self, left, right):
        pair = torch.cat([image.float().permute(0, 3, 1, 2) / 128 - 1 for image in (left, right)], 1)
        return *super().forward(left, right), torch.sigmoid(self.network["sure"](pair))[:, 0]


@pytest.fixture(scope="module")
def tiny_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("quantize") / "tiny.onnx"
    export_contract(Tiny(), TINY_SPEC, path)
    return path


@pytest.fixture(scope="module")
def folder(tiny_file):
    """Five pairs whose truth is what the network predicts, plus or minus 2 px."""
    root = tiny_file.parent / "pairs"
    session = onnxruntime.InferenceSession(str(tiny_file))
    for name in ("left", "right", "disparity"):
        (root / name).mkdir(parents=True)
    for i in range(5):
        pair = matched_pair(64, 96, seed=i)
        prediction = session.run(None, {"left": pair.left[None], "right": pair.right[None]})[0][0]
        sign = np.where(np.indices(prediction.shape).sum(0) % 2, 2, -2)
        cv2.imwrite(str(root / f"left/{i}.png"), pair.left[..., ::-1])
        cv2.imwrite(str(root / f"right/{i}.png"), pair.right[..., ::-1])
        cv2.imwrite(str(root / f"disparity/{i}.png"), np.round((prediction + sign) * 256).astype(np.uint16))
    return root


def test_the_int8_file_predicts_like_its_source_and_says_where_it_came_from(tiny_file, folder, tmp_path):
    calibration, held_out = split(read_pairs(folder), None)
    assert [pair.name for pair in held_out] == ["3"]
    report = quantize_file(tiny_file, tmp_path / "tiny_int8.onnx", calibration, held_out, Gate(drift_px=0.5))
    assert set(report.drift_px) == {"first", "last"}
    assert report.epe_fp32_px == pytest.approx(2, abs=0.01)
    assert abs(report.loss_percent) < 2
    spec = read_spec(tmp_path / "tiny_int8.onnx")
    metadata = spec.training["quantisation"]
    assert (spec.name, spec.outputs, spec.training["recipe"]) == ("tiny", {"disparity": 1}, "none")
    assert metadata["source_sha256"] == hashlib.sha256(tiny_file.read_bytes()).hexdigest()
    assert (metadata["calibration_pairs"], metadata["held_out_pairs"], metadata["kept_fp32"]) == (4, 1, [])
    assert int8_kernels(tmp_path / "tiny_int8.onnx") == [(1, 16, 1, 1), (16, 1, 3, 3), (16, 6, 3, 3)]


def int8_kernels(path):
    graph = onnx.load(path).graph
    kernels = [tensor for tensor in graph.initializer if tensor.data_type == TensorProto.INT8 and len(tensor.dims) == 4]
    return sorted(tuple(tensor.dims) for tensor in kernels)


@pytest.fixture(scope="module")
def engine_file(tiny_file, folder):
    """The tiny file in INT8 for TensorRT."""
    path = tiny_file.parent / "tiny_engine.onnx"
    pairs = read_pairs(folder)
    report = quantize_file(tiny_file, path, pairs[:3], pairs[3:], Gate(drift_px=0.5), target="tensorrt")
    assert abs(report.loss_percent) < 2
    assert read_spec(path).training["quantisation"]["target"] == "tensorrt"
    return path


def test_for_tensorrt_all_zero_points_are_zero_and_biases_and_depthwise_kernels_stay_fp32(engine_file):
    graph = onnx.load(engine_file).graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    quantised = [node for node in graph.node if node.op_type == "QuantizeLinear"]
    assert [constants[node.input[2]].dtype for node in quantised] == [np.int8] * len(quantised)
    assert not any(constants[node.input[2]].any() for node in quantised)
    weights = sorted(constants[node.input[0]].shape for node in quantised if node.input[0] in constants)
    assert weights == [(1, 16, 1, 1), (16, 6, 3, 3)]
    assert all(constants[name].dtype == np.float32 for name in constants if name.endswith("bias"))


@pytest.mark.skipif(bool(library_missing("tensorrt_rtx")), reason=library_missing("tensorrt_rtx"))
def test_tensorrt_rtx_builds_the_file_that_is_made_for_it_and_refuses_the_other_with_the_remedy(
    engine_file, tiny_file, folder
):
    rtx, ada = TensorRt.load("tensorrt_rtx"), Gpu("", "8.9")
    key = engine_key(rtx, engine_file, (64, 96), ada)
    assert key.precision == "int8"
    assert len(build_engine(rtx, engine_file, key)) > 1000
    other, pairs = tiny_file.parent / "tiny_cpu.onnx", read_pairs(folder)
    quantize_file(tiny_file, other, pairs[:3], pairs[3:], Gate(drift_px=0.5))
    with pytest.raises(BackendError, match="quantize with --target tensorrt"):
        build_engine(rtx, other, engine_key(rtx, other, (64, 96), ada))


def test_a_part_that_is_to_stay_fp32_does(tiny_file, folder, tmp_path):
    pairs = read_pairs(folder)
    gate = Gate(drift_px=0.5, keep=("last",))
    report = quantize_file(tiny_file, tmp_path / "tiny_int8.onnx", pairs[:3], pairs[3:], gate)
    assert report.kept == ["last"]
    assert "first" in report.drift_px
    assert int8_kernels(tmp_path / "tiny_int8.onnx") == [(16, 1, 3, 3), (16, 6, 3, 3)]
    with pytest.raises(ValueError, match=r"expected parts below \['first', 'last'\], got \['lost'\]"):
        quantize_file(tiny_file, tmp_path / "x.onnx", pairs[:3], pairs[3:], Gate(keep=("lost",)))


OTHER_INPUTS = {
    "regions": replace(probe_spec(), inputs=("left", "right", "regions")),
    "image": mono_probe_spec(),  # its gate measures disparity, of which a network of one camera has none
}


@pytest.mark.parametrize("image", OTHER_INPUTS)
def test_a_network_that_takes_other_images_than_a_pair_is_refused_at_once(folder, tmp_path, image):
    source = write_probe(tmp_path / "other.onnx", OTHER_INPUTS[image])
    pairs = read_pairs(folder)
    with pytest.raises(SpecError, match=rf"inputs \['left', 'right'\], got 'probe' .* nothing here gives '{image}'"):
        quantize_file(source, tmp_path / "int8.onnx", pairs[:3], pairs[3:], Gate())
    assert list(tmp_path.iterdir()) == [source]


def test_what_no_gate_can_see_stays_fp32(folder, tmp_path):
    source, path, pairs = tmp_path / "confident.onnx", tmp_path / "int8.onnx", read_pairs(folder)
    export_contract(Confident(), replace(TINY_SPEC, outputs={"disparity": 1, "confidence": 1}), source)
    report = quantize_file(source, path, pairs[:3], pairs[3:], Gate(drift_px=0.5))
    assert set(report.drift_px) == {"first", "last"}
    assert "| 1 products that only outputs without a gate need |  | FP32 |" in report.table()
    assert read_spec(path).training["quantisation"]["products_without_gate_fp32"] == 1
    assert (1, 6, 5, 5) not in int8_kernels(path)


def test_parts_that_drift_stay_fp32_and_with_none_left_nothing_is_written(tiny_file, folder, tmp_path, caplog):
    pairs = read_pairs(folder)
    with caplog.at_level(logging.INFO), pytest.raises(QuantisationError, match="at most 1e-06 px in INT8, got none"):
        quantize_file(tiny_file, tmp_path / "tiny_int8.onnx", pairs[:3], pairs[3:], Gate(drift_px=1e-6))
    assert re.search(r"(?s)first\.0 .* FP32.*last .* FP32", caplog.text)
    assert not list(tmp_path.iterdir())


def test_a_loss_above_the_gate_writes_nothing_and_shows_the_table(tiny_file, folder, tmp_path, caplog, capsys):
    path = tmp_path / "tiny_int8.onnx"
    path.write_bytes(b"the file that was here before")
    command = ["quantize", "--model", tiny_file, "--calibration", folder, "--out", path, "--max-loss", "-50"]
    with caplog.at_level(logging.INFO):
        assert main([*map(str, command), "--max-drift", "0.5"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(r"depth_export quantize: expected INT8 to lose at most -50 % EPE .*nothing was written", line)
    assert "| EPE px | 2.0" in caplog.text
    assert path.read_bytes() == b"the file that was here before"
    assert list(tmp_path.iterdir()) == [path]


def test_pairs_without_truth_or_without_a_right_image_are_refused(folder, tmp_path):
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").write_bytes((folder / name / "0.png").read_bytes())
    with pytest.raises(ValueError, match="held-out pairs with a true disparity, got none among 1 pairs"):
        split(read_pairs(tmp_path), None)
    (tmp_path / "right/0.png").unlink()
    with pytest.raises(ValueError, match=r"expected images .* in .*right, got none"):
        read_pairs(tmp_path)


def test_truth_of_eight_bits_is_no_truth(folder, tmp_path):
    """It would be read as a 256th of what was meant, and a gate on it would mean nothing."""
    pair = read_pairs(folder)[0]
    cv2.imwrite(
        str(tmp_path / "eight.png"), cv2.imread(str(pair.disparity_path), cv2.IMREAD_UNCHANGED).astype(np.uint8)
    )
    with pytest.raises(ValueError, match=r"one channel of uint16 in .*eight\.png, got uint8"):
        replace(pair, disparity_path=tmp_path / "eight.png").truth_px(64)


def test_a_list_of_pairs_is_relative_to_its_file(folder):
    path = folder / "list.csv"
    path.write_text("left,right,disparity\nleft/1.png,right/1.png,disparity/1.png\nleft/2.png,right/2.png,\n")
    first, second = read_pairs(path)
    assert first.truth_px(64).max() > 15
    assert first.truth_px(1).max() == 0
    assert second.disparity_path is None


def test_only_what_lies_between_products_joins_them():
    node = helper.make_node
    nodes = [
        node("Conv", ["image", "network.a.0.weight"], ["a"], "conv_a"),
        node("Clip", ["a"], ["clipped"], "clip"),
        node("Add", ["clipped", "clipped"], ["sum"], "add_inside"),
        node("Conv", ["sum", "network.b.0.weight"], ["b"], "conv_b"),
        node("Relu", ["b"], ["logits"], "relu"),
        node("Exp", ["logits"], ["weight"], "exp"),
        node("Mul", ["weight", "logits"], ["disparity"], "mul_of_disparity"),
    ]
    weights = [
        helper.make_tensor(name, TensorProto.FLOAT, (1, 1, 1, 1), [1.0])
        for name in ("network.a.0.weight", "network.b.0.weight")
    ]
    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 1, 4, 6]) for n in ("image", "disparity")]
    model = helper.make_model(helper.make_graph(nodes, "g", value[:1], value[1:], weights))
    assert with_neighbours(model, ["conv_a", "conv_b"]) == ["conv_a", "clip", "add_inside", "conv_b", "relu"]
    assert with_neighbours(model, ["conv_a"]) == ["conv_a", "clip"]
    assert parts_of(model, INT8_FORMATS["cpu"], 2, "a") == {"a.0": ["conv_a"]}
