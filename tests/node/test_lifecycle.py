# SPDX-License-Identifier: Apache-2.0
"""Start, refusal, runtime changes and end of the node process."""

import time
from dataclasses import replace

import pytest
from depth_export.probe import mono_probe_spec, probe_spec, write_probe
from depth_runtime.spec import METADATA_KEY, SCHEMA
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, SetParameters
from stereo_rig import scene

TYPES = {bool: ("bool_value", 1), int: ("integer_value", 2), float: ("double_value", 3), str: ("string_value", 4)}


def call(rig, kind, name, request):
    """Service call; asked again by a new client when the answer's way back was not discovered in time."""
    for _ in range(4):
        client = rig.node.create_client(kind, f"stereo_node/{name}")
        assert client.wait_for_service(10)
        future = client.call_async(request)
        deadline = time.monotonic() + 3
        while not future.done() and time.monotonic() < deadline:
            rig.pause(0.02)
        if future.done():
            return future.result()
    pytest.fail(f"{name} did not answer; diagnostics: {rig.status_message} {rig.status}")


def set_parameter(rig, name, value):
    field, kind = TYPES[type(value)]
    assert kind in (ParameterType.PARAMETER_BOOL, 2, 3, 4)
    change = Parameter(name=name, value=ParameterValue(type=kind, **{field: value}))
    return call(rig, SetParameters, "set_parameters", SetParameters.Request(parameters=[change])).results[0]


def transition(rig, number):
    request = ChangeState.Request(transition=Transition(id=number))
    return call(rig, ChangeState, "change_state", request).success


def state(rig):
    return call(rig, GetState, "get_state", GetState.Request()).current_state.label


def with_newer_schema(path):
    """The probe with its schema number raised in place (same length, so that the file stays whole)."""
    write_probe(path)
    path.write_bytes(path.read_bytes().replace(b'"schema": %d' % SCHEMA, b'"schema": 9'))


def without_spec(path):
    write_probe(path)
    path.write_bytes(path.read_bytes().replace(METADATA_KEY.encode(), b"other_keys"))


BAD_FILES = {
    "missing": (lambda path: None, "no file at"),
    "empty": (lambda path: path.write_bytes(b""), "no graph"),
    "not onnx": (lambda path: path.write_text("weights\n" * 100), "do not start like ONNX"),
    "truncated": (lambda path: path.write_bytes(write_probe(path).read_bytes()[:-300]), "truncated"),
    "without spec": (without_spec, "expected metadata 'depth_spec'"),
    "newer schema": (with_newer_schema, f"schema {SCHEMA} or older, got 9; update depth_runtime"),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_bad_model_file_leaves_the_node_alive_and_explains(start, tmp_path, fault):
    damage, words = BAD_FILES[fault]
    path = tmp_path / "model.onnx"
    damage(path)
    process, rig = start(connected=False, parameters={"model": str(path)})
    rig.wait(lambda: rig.status_level == b"\2", "an error in diagnostics")
    assert words in rig.status_message
    assert words in process.log
    assert state(rig) == "unconfigured"
    if fault == "truncated":  # a file put right is picked up without a restart
        write_probe(path)
        assert transition(rig, Transition.TRANSITION_CONFIGURE)
        assert transition(rig, Transition.TRANSITION_ACTIVATE)
        rig.warm_up()
    assert process.alive


def test_a_graph_that_onnx_runtime_refuses_is_explained(start, tmp_path):
    path = tmp_path / "model.onnx"
    data = write_probe(path).read_bytes()
    path.write_bytes(data.replace(b"Gather", b"Gatheq"))
    process, rig = start(connected=False, parameters={"model": str(path)})
    rig.wait(lambda: "ONNX Runtime could not load" in rig.status_message, "the refusal")
    assert process.alive


def test_an_unknown_zoo_name_lists_what_exists(start):
    _, rig = start(connected=False, parameters={"model": "stereo_xxl"})
    rig.wait(lambda: "got 'stereo_xxl'" in rig.status_message, "the refusal")
    assert "expected a zoo network among" in rig.status_message


def test_an_unknown_parameter_is_refused_at_start(start):
    process, _ = start(connected=False, parameters={"max_dept_m": 3.0})
    assert process.process.wait(20) == 2
    assert "got max_dept_m" in process.log
    assert "max_depth_m" in process.log


def test_sigint_ends_the_node_within_two_seconds_with_exit_code_0(start):
    process, rig = start()
    code, seconds = process.interrupt()
    assert code == 0
    assert seconds < 2
    assert "Traceback" not in process.log
    rig.pause(0)


def test_thresholds_change_while_running_but_the_model_does_not(start):
    _, rig = start()
    assert set_parameter(rig, "confidence_threshold", 0.25).successful
    assert set_parameter(rig, "point_stride", 4).successful
    refused = set_parameter(rig, "model", "other")
    assert not refused.successful
    assert "when the node is configured" in refused.reason
    for name, value in (("confidence_threshold", 1.5), ("point_stride", 0), ("depth_encoding", "8UC1")):
        assert not set_parameter(rig, name, value).successful, name
    crossed = set_parameter(rig, "min_depth_m", 900.0)
    assert not crossed.successful
    assert "min_depth_m < max_depth_m" in crossed.reason
    assert not set_parameter(rig, "no_such_parameter", 1).successful


def test_every_parameter_has_a_description_and_numbers_have_ranges(start):
    from depth_nodes.parameters import BY_NAME

    _, rig = start(connected=False)
    request = DescribeParameters.Request(names=list(BY_NAME))
    for descriptor in call(rig, DescribeParameters, "describe_parameters", request).descriptors:
        assert len(descriptor.description) > 10, descriptor.name
        if descriptor.type in (ParameterType.PARAMETER_INTEGER, ParameterType.PARAMETER_DOUBLE):
            assert descriptor.integer_range or descriptor.floating_point_range, descriptor.name


def test_nothing_is_computed_for_outputs_without_subscribers(start):
    _, rig = start(listen=("disparity",))
    rig.stages.clear()
    rig.answer("disparity", rig.send_scene(*scene()))
    rig.wait(lambda: bool(rig.stages), "the stage times")
    stages = set(rig.stages[-1]["ms"])
    assert "publish_disparity" in stages
    assert not stages & {"depth", "publish_depth", "publish_confidence", "publish_semantic", "publish_points"}


def test_without_subscribers_no_frame_is_computed(start):
    _, rig = start(listen=(), connected=False)
    rig.wait(lambda: all(p.get_subscription_count() for p in rig.cameras.values()), "the node to subscribe")
    for _ in range(5):
        rig.send_scene(*scene())
        rig.pause(0.1)
    rig.wait(lambda: int(rig.status.get("received: left/image_rect", 0)) > 0, "messages to arrive")
    assert rig.status["answered"] == "0"


def test_a_toggle_silences_its_output(start):
    _, rig = start(listen=("disparity", "confidence"))
    assert set_parameter(rig, "publish.confidence", False).successful
    rig.pause(0.3)
    rig.received["confidence"].clear()
    rig.answer("disparity", rig.send_scene(*scene()))
    rig.pause(0.3)
    assert not rig.received["confidence"]


def test_deactivate_stops_and_activate_resumes(start):
    _, rig = start()
    assert transition(rig, Transition.TRANSITION_DEACTIVATE)
    assert state(rig) == "inactive"
    rig.received["disparity"].clear()
    rig.send_scene(*scene())
    rig.pause(0.5)
    assert not rig.received["disparity"]
    assert transition(rig, Transition.TRANSITION_ACTIVATE)
    rig.warm_up()
    assert transition(rig, Transition.TRANSITION_DEACTIVATE)
    assert transition(rig, Transition.TRANSITION_CLEANUP)
    assert transition(rig, Transition.TRANSITION_CONFIGURE)
    assert transition(rig, Transition.TRANSITION_ACTIVATE)
    rig.received["disparity"].clear()
    rig.warm_up()


def test_a_gpu_backend_that_cannot_run_is_an_error_not_a_quiet_slowdown(start):
    from depth_runtime.backends import available_backends

    if not available_backends()["onnxruntime-cuda"]:
        pytest.skip("this machine has CUDA")
    process, rig = start(parameters={"backend": "onnxruntime-cuda"})
    rig.wait(lambda: rig.status_level == b"\2", "an error in diagnostics")
    assert "onnxruntime-cuda was asked for" in rig.status_message
    assert rig.status["backend"] == "onnxruntime-cpu"
    assert process.alive


def test_a_mono_network_is_refused_by_the_stereo_node(start, tmp_path):
    path = write_probe(tmp_path / "mono.onnx", mono_probe_spec())
    _, rig = start(connected=False, parameters={"model": str(path)})
    rig.wait(lambda: rig.status_level == b"\2", "an error in diagnostics")
    assert "expected a network for task 'stereo', got 'mono'" in rig.status_message


def test_a_network_that_takes_regions_is_refused_by_the_node_with_the_way_out(start, tmp_path):
    spec = replace(probe_spec(), inputs=("left", "right", "regions"))
    path = write_probe(tmp_path / "regions.onnx", spec)
    _, rig = start(connected=False, parameters={"model": str(path)})
    rig.wait(lambda: rig.status_level == b"\2", "an error in diagnostics")
    assert "nothing here gives 'regions'" in rig.status_message
    assert "choose another network" in rig.status_message
