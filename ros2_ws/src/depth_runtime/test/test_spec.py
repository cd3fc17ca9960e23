# SPDX-License-Identifier: Apache-2.0
import json
from dataclasses import replace

import pytest
from depth_runtime.onnx_file import read_metadata, read_spec
from depth_runtime.spec import SCHEMA, Label, ModelSpec, SpecError

SPEC = ModelSpec(
    name="tiny",
    version="3",
    task="stereo",
    size_multiple=32,
    default_size=(384, 640),
    outputs={"disparity": 1, "semantic": 4},
    max_disparity=192,
    labels=(Label(0, "road", (128, 64, 128)), Label(4, "car", (0, 0, 142), thing=True)),
    training={"recipe": "none"},
)


def changed(**changes):
    return json.dumps(json.loads(SPEC.to_json()) | changes)


def test_a_spec_survives_the_way_through_json():
    assert ModelSpec.from_json(SPEC.to_json()) == SPEC


def test_outputs_come_back_in_the_order_they_were_declared_in():
    outputs = {"semantic": 4, "disparity": 1, "confidence": 2}
    assert list(ModelSpec.from_json(replace(SPEC, outputs=outputs).to_json()).outputs.items()) == list(outputs.items())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "does not parse"),
        ("[1]", "a JSON object"),
        (changed(schema=SCHEMA + 1), f"schema {SCHEMA} or older, got {SCHEMA + 1}; update"),
        (changed(schema=None), "a schema number"),
        (changed(colour="red"), r"only the keys .*got \['colour'\]"),
        (changed(task="optical flow"), "task one of"),
        (changed(size_multiple=0), "size_multiple"),
        (changed(default_size=[384, 630]), "multiples of 32"),
        (changed(outputs={"semantic": 1}), "an output 'disparity'"),
        (changed(outputs={"disparity": 1, "flow": 1}), "outputs among"),
        (changed(outputs={"disparity": 0}), "strides >= 1"),
        (changed(inputs=["left", "right", "sonar"]), r"distinct inputs among .*'regions'.*, got .*'sonar'"),
        (changed(inputs=["left", "right", "left"]), "distinct inputs among"),
        (changed(inputs=["left", "regions"]), r"the inputs \['left', 'right'\] for task 'stereo'"),
        (changed(inputs=None), "well-formed"),
        (changed(max_disparity=None), "max_disparity > 0"),
        (changed(labels=[{"id": 0, "name": "a", "color": [0, 0, 0]}] * 2), "distinct label ids"),
        (changed(labels=[{"id": 0}]), "well-formed"),
        (changed(default_size=7), "well-formed"),
    ],
)
def test_a_broken_spec_is_refused_with_what_was_expected(text, words):
    with pytest.raises(SpecError, match=words):
        ModelSpec.from_json(text)


def test_a_missing_key_is_named():
    data = json.loads(SPEC.to_json())
    del data["outputs"]
    with pytest.raises(SpecError, match="no outputs"):
        ModelSpec.from_json(json.dumps(data))


def test_a_mono_spec_needs_its_canonical_focal_length():
    with pytest.raises(SpecError, match="canonical_focal_px"):
        replace(SPEC, task="mono", inputs=(), outputs={"depth": 1})


def test_a_file_that_names_no_inputs_has_those_of_its_task():
    """Schema 1, in which the shipped networks are written, knew no others."""
    data = json.loads(SPEC.to_json())
    del data["inputs"]
    assert ModelSpec.from_json(json.dumps(data | {"schema": 1})) == SPEC
    assert SPEC.inputs == ("left", "right")
    mono = {"task": "mono", "outputs": {"depth": 1}, "max_disparity": None, "canonical_focal_px": 500.0}
    assert ModelSpec.from_json(json.dumps(data | mono | {"schema": 1})).inputs == ("image",)


def test_what_is_written_names_its_inputs_in_their_order():
    spec = replace(SPEC, inputs=("right", "left", "regions"))
    data = json.loads(spec.to_json())
    assert (data["schema"], data["inputs"]) == (SCHEMA, ["right", "left", "regions"])
    assert ModelSpec.from_json(spec.to_json()) == spec


def test_a_network_that_takes_what_nobody_gives_is_refused_with_the_way_out():
    spec = replace(SPEC, inputs=("left", "right", "regions"))
    spec.require_inputs(("regions", "right", "left"))
    words = (
        r"expected a network of the inputs \['left', 'right'\], got 'tiny' of \['left', 'right', 'regions'\]; nothing "
        r"here gives 'regions' \(.*`depth_training sam-masks` .*\): choose another network"
    )
    with pytest.raises(SpecError, match=words):
        spec.require_inputs(("left", "right"))


def field(number, payload):
    """One length-delimited protobuf field."""
    length, size = b"", len(payload)
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + payload


def onnx_bytes(**metadata):
    """The outermost fields of a ModelProto: ir_version, a graph of opaque bytes, metadata_props."""
    entries = b"".join(field(14, field(1, key.encode()) + field(2, value.encode())) for key, value in metadata.items())
    return b"\x08\x08" + field(7, b"\0" * 300) + entries


def test_the_spec_is_read_from_the_metadata_without_onnx(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_bytes(author="me", depth_spec=SPEC.to_json()))
    assert read_metadata(path)["author"] == "me"
    assert read_spec(path) == SPEC


def test_every_truncation_is_noticed_or_leaves_a_spec_that_is_missing(tmp_path):
    path = tmp_path / "model.onnx"
    whole = onnx_bytes(depth_spec=SPEC.to_json())
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(SpecError):
            read_spec(path)


def test_a_file_without_spec_says_how_to_get_one(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_bytes(author="me"))
    with pytest.raises(SpecError, match=r"got \['author'\]; this file was not written by depth_export"):
        read_spec(path)


@pytest.mark.parametrize("data", [b"hello, I am text", b"\x89PNG\r\n", b"\x08" + b"\xff" * 20])
def test_other_files_are_refused(tmp_path, data):
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    with pytest.raises(SpecError, match="expected a whole ONNX file"):
        read_spec(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SpecError, match="no file at"):
        read_spec(tmp_path / "nothing.onnx")
