# SPDX-License-Identifier: Apache-2.0
"""Export writes a contract file that predicts like torch, or nothing."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from depth_export import cli, export_command
from depth_export.export import export_contract
from depth_export.graph import fold_batch_norms
from depth_export.parity import ParityError
from depth_models import build, save_weights
from depth_models.blocks import ConvBlock
from depth_runtime.onnx_file import read_spec
from tiny_spec import TINY_SPEC
from torch import nn


class Tiny(nn.Module):
    """Small contract module; `error_px` is added only in the exported graph."""

    def __init__(self, error_px: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.block = ConvBlock(6, 16, 3)
        self.out = nn.Conv2d(16, 1, 1)
        self.error_px = error_px
        self.block[1].running_var.fill_(0.37)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(parameter.half())

    def forward(self, left, right):
        left, right = (image.float().permute(0, 3, 1, 2) / 255 for image in (left, right))
        disparity = self.out(self.block(torch.cat((left, right), 1)))[:, 0]
        return (disparity + self.error_px if torch.compiler.is_exporting() else disparity,)


@pytest.fixture(scope="module")
def tiny_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "tiny.onnx"
    worst = export_contract(Tiny(), TINY_SPEC, path)
    assert worst["disparity"] < 1e-4
    return path


def test_the_spec_is_readable_without_onnx(tiny_file):
    assert read_spec(tiny_file) == TINY_SPEC


def test_sizes_other_than_the_traced_one_predict_like_torch(tiny_file):
    session = onnxruntime.InferenceSession(str(tiny_file))
    module = Tiny().eval()
    for height, width in ((32, 160), (256, 64)):
        left, right = np.random.default_rng(0).integers(0, 256, (2, 1, height, width, 3), dtype=np.uint8)
        prediction = session.run(None, {"left": left, "right": right})[0]
        with torch.no_grad():
            expected = module(torch.from_numpy(left), torch.from_numpy(right))[0].numpy()
        assert prediction.shape == (1, height, width)
        np.testing.assert_allclose(prediction, expected, atol=1e-4)


def test_weights_of_half_precision_are_stored_as_such_and_the_first_node_of_each_image_is_a_cast(tiny_file):
    graph = onnx.load(tiny_file).graph
    types = {t.name: t.data_type for t in graph.initializer}
    assert types["block.0.weight.half"] == onnx.TensorProto.FLOAT16
    for name in ("left", "right"):
        assert [n.op_type for n in graph.node if name in n.input] == ["Cast"]


def test_no_machine_path_is_left_in_the_file(tiny_file):
    assert b".py" not in tiny_file.read_bytes()


def test_a_graph_that_predicts_otherwise_is_refused_and_nothing_is_written(tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"the file that was here before")
    with pytest.raises(ParityError, match=r"'disparity' within 0\.05 of torch"):
        export_contract(Tiny(error_px=0.07), TINY_SPEC, path)
    assert path.read_bytes() == b"the file that was here before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disparity_that_moves_depth_by_more_than_a_hundredth_is_refused(tmp_path):
    module = Tiny(error_px=0.045)
    with torch.no_grad():
        module.out.weight.zero_()
        module.out.bias.fill_(4)
    with pytest.raises(ParityError, match=r"'relative_depth' within 0\.01 of torch"):
        export_contract(module, TINY_SPEC, tmp_path / "near.onnx")


def test_what_cannot_be_exported_ends_in_one_line(tmp_path, capsys, monkeypatch):
    def refuse(*_):
        raise ParityError("expected 'disparity' within 0.05 of torch")

    monkeypatch.setattr(export_command, "export_contract", refuse)
    (tmp_path / "weights.pt").write_bytes(b"something else")
    save_weights(tmp_path / "tiny.pt", "stereo_s", build("stereo_s"))
    for name, words in (
        ("none.pt", "none.pt, got none"),
        ("weights.pt", "expected a weights file (weights.pt) or a checkpoint"),
        ("tiny.pt", "within 0.05"),
    ):
        assert cli.main(["export", "--weights", f"{tmp_path}/{name}", "--out", f"{tmp_path}/o"]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("depth_export export: ")
        assert words in line


def test_folding_batch_norms_keeps_the_prediction_and_tells_the_scale():
    module = Tiny().eval()
    folded, scales = fold_batch_norms(module)
    images = torch.randint(0, 256, (2, 1, 32, 64, 3), dtype=torch.uint8)
    torch.testing.assert_close(folded(*images), module(*images))
    weight = module.block[0].weight * torch.from_numpy(scales["block.0.weight"])
    torch.testing.assert_close(folded.block[0].weight, weight)


def test_folding_after_a_transposed_convolution_scales_its_second_axis():
    torch.manual_seed(0)
    block = torch.nn.Sequential(torch.nn.ConvTranspose2d(3, 5, 4, 2, 1, bias=False), torch.nn.BatchNorm2d(5))
    torch.nn.init.uniform_(block[1].weight, 0.5, 3.0)
    torch.nn.init.uniform_(block[1].running_var, 0.2, 4.0)
    torch.nn.init.uniform_(block[1].running_mean, -1.0, 1.0)
    module = torch.nn.Sequential(block).eval()
    folded, scales = fold_batch_norms(module)
    assert isinstance(folded[0][1], torch.nn.Identity)
    image = torch.rand(1, 3, 6, 8)
    torch.testing.assert_close(folded(image), module(image))
    weight = block[0].weight * torch.from_numpy(scales["0.0.weight"])
    torch.testing.assert_close(folded[0][0].weight, weight)


def test_the_size_that_suits_a_network_best_goes_into_the_spec(tmp_path, monkeypatch):
    specs = []

    def write(module, spec, path):
        specs.append(spec)
        path.write_bytes(b"a network")
        return {}

    monkeypatch.setattr(export_command, "export_contract", write)
    save_weights(tmp_path / "tiny.pt", "hnet", build("hnet", width=0.125), {"width": 0.125})
    command = ["export", "--weights", f"{tmp_path}/tiny.pt", "--out", f"{tmp_path}/tiny.onnx"]
    for arguments in ([], ["--default-size", "320x192"]):
        assert cli.main([*command, *arguments]) == 0
    assert [spec.default_size for spec in specs] == [(384, 640), (192, 320)]
    assert specs[1].metrics["gmacs_at_default_size"] < specs[0].metrics["gmacs_at_default_size"] / 3
