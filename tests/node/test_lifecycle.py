# SPDX-License-Identifier: Apache-2.0
"""Start, refusal, runtime changes and end of the node process."""

import signal
from dataclasses import replace

import numpy as np
import pytest
from depth_export.probe import mono_probe_spec, probe_spec, write_probe
from depth_nodes.stereo_node import PARAMETERS
from depth_runtime.spec import METADATA_KEY, SCHEMA
from lifecycle_msgs.msg import Transition
from node_process import EXIT_TIMEOUT_S, NodeProcess
from rcl_interfaces.msg import ParameterType
from rclpy.qos import QoSProfile, ReliabilityPolicy
from stereo_messages import scene


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
    rig.wait(lambda: words in process.log, "the reason in the log")
    assert rig.status["state"] == rig.control.state() == "unconfigured"
    if fault == "truncated":  # a file put right is picked up without a restart
        write_probe(path)
        assert rig.control.transition(Transition.TRANSITION_CONFIGURE)
        assert rig.control.transition(Transition.TRANSITION_ACTIVATE)
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


BAD_PARAMETERS = {
    "unknown": ({"max_dept_m": 3.0}, ("got max_dept_m", "max_depth_m")),
    "type": ({"threads": "many"}, ("expected threads as a whole number from 0 to 128, got 'many'",)),
    "whole number for a real one": ({"max_depth_m": 20}, ("max_depth_m as a number with a point", "got 20;")),
    "range": ({"confidence_threshold": 1.5}, ("confidence_threshold", "from 0 to 1, got 1.5")),
    "choice": ({"depth_encoding": "8UC1"}, ("expected depth_encoding one of", "got '8UC1'")),
    "contradiction": ({"min_depth_m": 5.0, "max_depth_m": 3.0}, ("expected min_depth_m < max_depth_m",)),
    "size": ({"network_size": "wide"}, ("'WIDTHxHEIGHT'", "got 'wide'")),
}


@pytest.mark.parametrize("fault", BAD_PARAMETERS)
def test_a_bad_parameter_at_start_is_one_line_and_exit_code_2(start, fault):
    parameters, words = BAD_PARAMETERS[fault]
    process, _ = start(connected=False, parameters=parameters)
    assert process.process.wait(EXIT_TIMEOUT_S) == 2
    lines = process.log.splitlines()
    assert len(lines) == 1, process.log
    assert all(word in lines[0] for word in words), lines[0]


def test_an_argument_that_ros_cannot_read_is_exit_code_2_without_traceback(tmp_path):
    process = NodeProcess(tmp_path / "log", {}, ("-p", "threads"))
    assert process.process.wait(EXIT_TIMEOUT_S) == 2
    assert "Traceback" not in process.log
    assert "'-p threads'" in process.log.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_node_with_exit_code_0(start, number):
    process, _ = start()
    code, _ = process.interrupt(number)
    assert code == 0
    assert "Traceback" not in process.log


def test_thresholds_change_while_running_but_the_model_does_not(start):
    _, rig = start()
    assert rig.control.set_parameter("confidence_threshold", 0.25).successful
    assert rig.control.set_parameter("point_stride", 4).successful
    refused = rig.control.set_parameter("model", "other")
    assert not refused.successful
    assert "when the node is configured" in refused.reason
    bad = (("confidence_threshold", 1.5), ("point_stride", 0), ("depth_encoding", "8UC1"), ("min_depth_m", "near"))
    for name, value in bad:
        assert not rig.control.set_parameter(name, value).successful, name
    crossed = rig.control.set_parameter("min_depth_m", 900.0)
    assert not crossed.successful
    assert "min_depth_m < max_depth_m" in crossed.reason
    assert not rig.control.set_parameter("no_such_parameter", 1).successful


def test_every_parameter_has_a_description_and_numbers_have_ranges(start):
    _, rig = start(connected=False)
    descriptors = rig.control.describe(list(PARAMETERS.by_name))
    assert len(descriptors) == len(PARAMETERS.by_name)
    for descriptor in descriptors:
        assert len(descriptor.description) > 10, descriptor.name
        if descriptor.type in (ParameterType.PARAMETER_INTEGER, ParameterType.PARAMETER_DOUBLE):
            assert descriptor.integer_range or descriptor.floating_point_range, descriptor.name


def test_nothing_is_computed_for_outputs_without_subscribers(start):
    _, rig = start(listen=("disparity",))
    stages = set(rig.stages_of(rig.send_scene(*scene())))
    assert stages == {"wait", "decode", "infer", "undo", "publish_disparity", "total"}


def test_depth_is_computed_once_for_all_that_need_it(start):
    _, rig = start(listen=("depth/image_rect", "points"))
    stages = list(rig.stages_of(rig.send_scene(*scene())))
    assert stages == ["wait", "decode", "infer", "undo", "depth", "publish_depth", "publish_points", "total"]


def test_without_subscribers_no_frame_is_computed(start):
    _, rig = start(listen=(), connected=False)
    rig.wait_for_node()
    rig.send_scene(*scene())
    rig.wait(lambda: int(rig.status.get("paired", 0)) > 0, "the pair")
    rig.listen("disparity")
    rig.warm_up()  # later pairs are answered, the first one never was
    stamps = [stage["stamp"][0] + stage["stamp"][1] / 1e9 for stage in rig.stages]
    assert 100.1 not in [round(stamp, 6) for stamp in stamps]


def test_a_toggle_silences_its_output_and_only_it(start):
    _, rig = start(listen=("disparity", "confidence"))
    for on in (False, True):
        assert rig.control.set_parameter("publish.confidence", on).successful
        stamp_s = rig.send_scene(*scene())
        assert ("publish_confidence" in rig.stages_of(stamp_s)) == on
        rig.message_of("disparity", stamp_s)
    rig.message_of("confidence", stamp_s)
    assert not rig.answered("confidence", stamp_s - 0.1)


def test_a_changed_threshold_counts_from_the_next_frame_on(start):
    _, rig = start(listen=("disparity",))
    left, right = scene()
    before = rig.message_of("disparity", rig.send_scene(left, right))
    assert not np.isnan(np.frombuffer(bytes(before.image.data), np.float32)).any()
    assert rig.control.set_parameter("confidence_threshold", 0.5).successful
    after = rig.message_of("disparity", rig.send_scene(left, right))
    unsure = np.isnan(np.frombuffer(bytes(after.image.data), np.float32)).reshape(left.shape[:2])
    np.testing.assert_array_equal(unsure, right[..., 1] < 127.5)


def test_deactivate_stops_and_activate_resumes(start):
    _, rig = start()
    assert rig.control.transition(Transition.TRANSITION_DEACTIVATE)
    assert rig.control.state() == "inactive"
    unheard = rig.send_scene(*scene())
    assert rig.control.transition(Transition.TRANSITION_ACTIVATE)
    rig.warm_up()
    assert not rig.answered("disparity", unheard)
    assert rig.control.transition(Transition.TRANSITION_DEACTIVATE)
    assert rig.control.transition(Transition.TRANSITION_CLEANUP)
    assert rig.control.transition(Transition.TRANSITION_CONFIGURE)
    assert rig.control.transition(Transition.TRANSITION_ACTIVATE)
    rig.warm_up()


def test_the_nodes_own_qos_takes_best_effort_cameras(start):
    """Without any override, as on a robot; single pairs may get lost."""
    best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    _, rig = start(input_qos=best_effort, qos_overrides={})
    assert rig.received["disparity"]


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


def test_a_network_size_that_does_not_fit_is_refused_with_those_that_do(start):
    _, rig = start(connected=False, parameters={"network_size": "100x70"})
    rig.wait(lambda: rig.status_level == b"\2", "an error in diagnostics")
    assert "multiples of 32 px" in rig.status_message
    assert "got 100x70; 96x64 and 128x96 fit" in rig.status_message
