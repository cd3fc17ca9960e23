# SPDX-License-Identifier: Apache-2.0
"""Networks of others by description."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from depth_training.evaluation.methods import make_method
from depth_training.evaluation.third_party_onnx import ThirdPartyNetwork, ThirdPartyOnnx, open_third_party
from onnx import TensorProto, helper

LEFT = np.full((10, 12, 3), (200, 100, 50), np.uint8)
RIGHT = np.full((10, 12, 3), (40, 80, 120), np.uint8)
PAIR = {"left": LEFT, "right": RIGHT}


def write_network(path, inputs, output_shape, nodes, kind=TensorProto.FLOAT, constants=()):
    """An ONNX file with the given inputs {name: shape}, output "d" and nodes."""
    tensors = [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()]
    output = helper.make_tensor_value_info("d", kind, output_shape)
    graph = helper.make_graph(nodes, "third_party", tensors, [output], list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def describe(path, text):
    path.with_suffix(".toml").write_text(text)
    return path


def channel(name, index, axis, output):
    """Node and its constants that cut one channel."""
    values = {"from": [index], "to": [index + 1], "along": [axis]}
    constants = [helper.make_tensor(f"{output}_{k}", TensorProto.INT64, [1], v) for k, v in values.items()]
    return helper.make_node("Slice", [name, *(f"{output}_{k}" for k in values)], [output]), constants


def test_one_grey_tensor_last_channel_right_padded_and_negated(tmp_path):
    """The network predicts minus its second channel, the right view."""
    node, constants = channel("pair", 1, 3, "right")
    negated = helper.make_node("Neg", ["right"], ["d"])
    shape = [1, "h", "w", 2]
    path = write_network(tmp_path / "a.onnx", {"pair": shape}, [1, "h", "w", 1], [node, negated], constants=constants)
    text = 'inputs = ["pair"]\nlayout = "NHWC"\ncolors = "grey"\nmultiple = 7\noutput = "d"\noutput_scale = -100.0\n'
    label, method = make_method(f"onnx:{describe(path, text)}", 1)
    assert (label, method.maps) == ("a", frozenset())
    prediction = method(PAIR)
    grey = round(0.299 * 40 + 0.587 * 80 + 0.114 * 120)
    assert prediction.disparity_px.shape == (10, 12)
    assert prediction.disparity_px == pytest.approx(np.full((10, 12), 100 * grey / 255), abs=1e-3)
    assert prediction.confidence is None


def test_two_normalised_bgr_tensors_of_a_fixed_size(tmp_path):
    """The network predicts the first channel of the left view plus ten times the last one of the right view."""
    left, right = channel("l", 0, 1, "blue"), channel("r", 2, 1, "red")
    ten = helper.make_tensor("ten", TensorProto.FLOAT, [1], [10.0])
    nodes = [left[0], right[0], helper.make_node("Mul", ["red", "ten"], ["more"])]
    nodes.append(helper.make_node("Add", ["blue", "more"], ["d"]))
    shapes = {"r": [1, 3, 20, 24], "l": [1, 3, 20, 24]}
    constants = [*left[1], *right[1], ten]
    path = write_network(tmp_path / "b.onnx", shapes, [1, 1, 20, 24], nodes, constants=constants)
    text = (
        'inputs = ["l", "r"]\ncolors = "bgr"\nwhite = 255.0\nmean = [10, 0, 20]\nstd = [4.0, 1.0, 5.0]\noutput = "d"\n'
    )
    _, method = make_method(f"onnx:{path}@{describe(tmp_path / 'c.onnx', text).with_suffix('.toml')}", 1, "64x64")
    in_network_px = (50 - 10) / 4 + 10 * (40 - 20) / 5
    assert method(PAIR).disparity_px == pytest.approx(np.full((10, 12), in_network_px / 2), abs=1e-3)


def test_bytes_stay_bytes_and_large_predictions_are_cut(tmp_path):
    left = channel("l", 0, 3, "d")
    unused = helper.make_node("Identity", ["r"], ["other"])
    shape = [1, "h", "w", 3]
    path = tmp_path / "u.onnx"
    write_network(
        path, {"l": shape, "r": shape}, [1, "h", "w", 1], [left[0], unused], TensorProto.UINT8, constants=left[1]
    )
    for white, byte in ((255.0, 200), (99.0, 78)):  # 77.6 is rounded
        about = ThirdPartyNetwork(["l", "r"], "NHWC", white=white, multiple=1, output="d", max_disparity_px=150.0)
        backend = ThirdPartyOnnx(path, about, 1)
        views = backend.prepare((10, 12))
        views["left"][0], views["right"][0] = LEFT, RIGHT
        assert (backend.infer({"disparity"})["disparity"] == byte).all()
    describe(path, 'inputs=["l","r"]\nlayout="NHWC"\nwhite=255.0\nmultiple=1\noutput="d"\nmax_disparity_px=150.0\n')
    assert (make_method(f"onnx:{path}", 1)[1](PAIR).disparity_px == 150).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'inputs = ["pair"]\noutput = "d"\nlayouts = "NHWC"\n',
            r"a\.toml: expected keys among .*'layout'.* got \['lay",
        ),
        ('inputs = ["left", "right"]\noutput = "d"\n', r"expected the inputs \['pair'\] and an output among \['d'\]"),
        ('inputs = ["pair"]\noutput = "disparity"\n', r"got \['pair'\] and 'disparity'"),
        ('inputs = ["pair"]\noutput = "d"\nlayout = "HWC"\n', r"layout among \['NCHW', 'NHWC'\], got 'HWC'"),
        ('inputs = ["pair"]\noutput = "d"\ncolors = "grey"\nmean = [1.0, 2.0, 3.0]\n', "mean of 1 numbers for grey"),
        ('inputs = ["pair"]\noutput = "d"\nwhite = "one"\n', "expected float for 'white', got 'one'"),
    ],
)
def test_a_description_that_does_not_fit_says_so(tmp_path, text, message):
    node, constants = channel("pair", 0, 1, "d")
    path = write_network(tmp_path / "a.onnx", {"pair": [1, 6, "h", "w"]}, [1, 1, "h", "w"], [node], constants=constants)
    with pytest.raises(ValueError, match=message):
        open_third_party(str(describe(path, text)), 1)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"got no file .*none\.onnx"):
        open_third_party(str(tmp_path / "none.onnx"), 1)
    (tmp_path / "a.onnx").write_bytes(b"")
    with pytest.raises(ValueError, match=r"MODEL\.toml beside MODEL\.onnx, got no file .*a\.toml"):
        open_third_party(str(tmp_path / "a.onnx"), 1)


def test_the_published_descriptions_are_read():
    from depth_training.core.strict_config import read_config

    for path in sorted((Path(__file__).parents[2] / "configs/third_party").glob("*.toml")):
        assert read_config(ThirdPartyNetwork, path).output
