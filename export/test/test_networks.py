# SPDX-License-Identifier: Apache-2.0
"""Every registered network, whatever it predicts, becomes a contract file that predicts like it, and an engine."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from depth_export.contract import Contract
from depth_export.export import export_contract
from depth_export.half import halve
from depth_models import build, names, network_spec
from depth_runtime.backends import make_backend
from depth_runtime.backends.cuda_runtime import Gpu
from depth_runtime.backends.tensorrt_api import TensorRt, library_missing
from depth_runtime.backends.tensorrt_build import build_engine, engine_key
from depth_runtime.onnx_file import read_spec
from depth_runtime.spec import METADATA_KEY

pytestmark = pytest.mark.slow

# stereo_xs holds all of stereo_s and of stereo_l, which differ in widths; tests/test_train_smoke.py exports a stereo_s.
NAMES = [name for name in names() if name not in ("stereo_s", "stereo_l")]
# Narrow variants, to save time; a network that is not named here is built as it is.
SMALL = {
    "dispnet": {"width": 0.125, "levels": 12},
    "hnet": {"width": 0.25, "iterations": 2},
    "usam_net": {"width": 0.125},
}
VARIANTS = [
    *(pytest.param((name, SMALL.get(name, {})), id=name) for name in NAMES),
    pytest.param(("usam_net", SMALL["usam_net"] | {"regions": "given"}), id="usam_net of regions"),
]


@pytest.fixture(scope="module", params=VARIANTS)
def exported(request, tmp_path_factory):
    """Network with random weights and its contract file, which passed the parity gate."""
    torch.manual_seed(0)
    name, config = request.param
    network = build(name, **config).eval()
    spec = network_spec(network, name, "1")
    spec = replace(spec, default_size=(2 * spec.size_multiple, 3 * spec.size_multiple))
    path = tmp_path_factory.mktemp(name) / "network.onnx"
    worst = export_contract(Contract(network), spec, path)
    assert set(worst) - {"relative_depth"} == set(network.outputs)
    assert ("relative_depth" in worst) == ("disparity" in worst)
    return network, path


def test_it_predicts_all_its_outputs_at_their_strides_at_any_size(exported):
    network, path = exported
    assert (read_spec(path).inputs, list(read_spec(path).outputs)) == (network.inputs, list(network.outputs))
    height, width = 3 * network.size_multiple, 4 * network.size_multiple
    backend = make_backend(path, "onnxruntime-cpu", threads=1)
    for image in backend.prepare((height, width)).values():
        image[:] = np.random.default_rng(0).integers(0, 256, image.shape, np.uint8)
    predictions = backend.infer(network.outputs)
    assert {name: prediction.shape[-2:] for name, prediction in predictions.items()} == {
        name: (height // stride, width // stride) for name, stride in network.outputs.items()
    }
    assert all(np.isfinite(prediction).all() for prediction in predictions.values())


def test_it_is_written_in_words_of_opset_17(exported):
    model = onnx.load(exported[1])
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    onnx.checker.check_model(model, full_check=True)


def test_its_half_precision_twin_convolves_in_fp16(exported):
    graph = halve(exported[1].read_bytes()).graph
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
    kernels = [node.input[1] for node in graph.node if node.op_type in ("Conv", "ConvTranspose")]
    assert {kinds[name] for name in kernels} == {onnx.TensorProto.FLOAT16}


@pytest.mark.skipif(bool(library_missing("tensorrt_rtx")), reason=library_missing("tensorrt_rtx"))
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_it_becomes_an_engine(exported, tmp_path, precision):
    network, path = exported
    if precision == "fp16":
        spec, half = read_spec(path), halve(path.read_bytes())
        path = tmp_path / "half.onnx"
        onnx.helper.set_model_props(half, {METADATA_KEY: spec.to_json()})
        onnx.save(half, path)
    rtx = TensorRt.load("tensorrt_rtx")
    key = engine_key(rtx, path, (2 * network.size_multiple, 3 * network.size_multiple), Gpu("", "8.9"))
    assert key.precision == precision
    assert len(build_engine(rtx, path, key)) > 100_000
