# SPDX-License-Identifier: Apache-2.0
"""A contract file that computes next to nothing and whose every output is known from its inputs.

It finds the floor of everything around a network (messages, resize, DDS), and lets tests check a value from the
camera message to the published field:

    disparity (px) or depth (m) = red / 2    semantic = blue (class id)    confidence = green of the last input / 255
    instance_center = 1 where green is 255, on every fourth pixel    instance_offset = 0

Colours without a name are those of the first input: in a stereo probe left, and right is the last one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from depth_runtime.spec import MAIN_OUTPUT, METADATA_KEY, TASKS, Label, ModelSpec
from onnx import TensorProto, helper, numpy_helper

STRIDE = 4
LABELS = (
    Label(0, "road", (128, 64, 128)),
    Label(1, "vehicle", (0, 0, 142), thing=True),
    Label(2, "person", (220, 20, 60), thing=True),
)

CONSTANTS = {
    "red": np.int64(0),
    "green": np.int64(1),
    "blue": np.int64(2),
    "half": np.float32(0.5),
    "unit": np.float32(1 / 255),
    "full": np.float32(255),
    "begin": np.array([0, 0], np.int64),
    "end": np.array([1 << 30, 1 << 30], np.int64),
    "rows_columns": np.array([1, 2], np.int64),
    "steps": np.array([STRIDE, STRIDE], np.int64),
    "channel_axis": np.array([1], np.int64),
    "two_zeros": np.zeros((1, 2, 1, 1), np.float32),
}


def probe_spec() -> ModelSpec:
    """Spec of the stereo probe: size multiple 32, disparity up to 127.5 px, instance heads at a quarter of the size."""
    return ModelSpec(
        name="probe",
        version="1",
        task="stereo",
        size_multiple=32,
        default_size=(384, 640),
        max_disparity=127.5,
        labels=LABELS,
        outputs={
            "disparity": 1,
            "confidence": 1,
            "semantic": 1,
            "instance_center": STRIDE,
            "instance_offset": STRIDE,
        },
        training={"recipe": "none: a hand-made graph for tests and timing"},
    )


def mono_probe_spec(canonical_focal_px: float = 500.0) -> ModelSpec:
    """Spec of a probe of one image, whose depth of up to 127.5 m is that of this focal length."""
    outputs = {MAIN_OUTPUT["mono"] if name == "disparity" else name: s for name, s in probe_spec().outputs.items()}
    mono = {"task": "mono", "inputs": TASKS["mono"], "outputs": outputs}
    return replace(probe_spec(), **mono, max_disparity=None, canonical_focal_px=canonical_focal_px)


def write_probe(path: str | Path, spec: ModelSpec | None = None) -> Path:
    """Write the probe to path (of another spec's inputs and task if given) and return the path."""
    spec = spec or probe_spec()
    model = helper.make_model(_graph(spec), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return Path(path)


def _graph(spec: ModelSpec) -> onnx.GraphProto:
    first, last, main = spec.inputs[0], spec.inputs[-1], MAIN_OUTPUT[spec.task]
    image = ["N", "H", "W", 3]
    inputs = [helper.make_tensor_value_info(name, TensorProto.UINT8, image) for name in spec.inputs]
    outputs = [
        helper.make_tensor_value_info(main, TensorProto.FLOAT, ["N", "H", "W"]),
        helper.make_tensor_value_info("confidence", TensorProto.FLOAT, ["N", "H", "W"]),
        helper.make_tensor_value_info("semantic", TensorProto.UINT8, ["N", "H", "W"]),
        helper.make_tensor_value_info("instance_center", TensorProto.FLOAT, ["N", "h", "w"]),
        helper.make_tensor_value_info("instance_offset", TensorProto.FLOAT, ["N", 2, "h", "w"]),
    ]
    node = helper.make_node
    nodes = [
        # Cast first, and floats only: TensorRT takes uint8 into a cast from or to floats, nowhere else.
        *(node("Cast", [name], [f"{name}_float"], to=TensorProto.FLOAT) for name in spec.inputs),
        node("Gather", [f"{first}_float", "red"], ["first_red"], axis=3),
        node("Gather", [f"{first}_float", "green"], ["first_green"], axis=3),
        node("Gather", [f"{first}_float", "blue"], ["first_blue"], axis=3),
        node("Gather", [f"{last}_float", "green"], ["last_green"], axis=3),
        node("Cast", ["first_blue"], ["semantic"], to=TensorProto.UINT8),
        node("Mul", ["first_red", "half"], [main]),
        node("Mul", ["last_green", "unit"], ["confidence"]),
        node("Slice", ["first_green", "begin", "end", "rows_columns", "steps"], ["coarse_green"]),
        node("Equal", ["coarse_green", "full"], ["is_center"]),
        node("Cast", ["is_center"], ["instance_center"], to=TensorProto.FLOAT),
        node("Unsqueeze", ["instance_center", "channel_axis"], ["center_channel"]),
        node("Mul", ["center_channel", "two_zeros"], ["instance_offset"]),
    ]
    initializers = [numpy_helper.from_array(np.asarray(value), name) for name, value in CONSTANTS.items()]
    return helper.make_graph(nodes, "probe", inputs, outputs, initializers)
