# SPDX-License-Identifier: Apache-2.0
"""Changes of state that do not fit or that fail: the node lives, says why, and leaks nothing."""

import re
from dataclasses import replace

import numpy as np
import onnx
import pytest
from depth_export.probe import LABELS, probe_spec, write_probe
from depth_runtime.spec import METADATA_KEY
from lifecycle_msgs.msg import Transition

CONFIGURE, ACTIVATE = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE
NONSENSE = 77


@pytest.mark.parametrize("number", [CONFIGURE, ACTIVATE, Transition.TRANSITION_CLEANUP, NONSENSE])
def test_a_transition_that_does_not_fit_is_refused_and_the_node_lives(start, number):
    process, rig = start()
    assert not rig.control.transition(number)
    rig.wait(lambda: f"refused: transition {number} does not fit the state 'active'" in process.log, "the refusal")
    assert rig.control.state() == "active"
    rig.warm_up()
    assert "Traceback" not in process.log


def bad_colours(path):
    spec = replace(probe_spec(), labels=(replace(LABELS[0], color=(300, 0)), *LABELS[1:]))
    write_probe(path, spec)


def deep_json(path):
    model = onnx.load(write_probe(path))
    onnx.helper.set_model_props(model, {METADATA_KEY: "[" * 100_000})
    onnx.save(model, path)


def publishers(rig):
    """Publishers of the node under test, by topic."""
    return rig.node.get_publisher_names_and_types_by_node("stereo_node", rig.node.get_namespace())


def assert_fails_without_a_leak(process, rig, number, words, state):
    """The transition fails time after time with its reason in log and diagnostics, and nothing piles up."""
    rig.wait(lambda: words in rig.status_message, "the reason in diagnostics")
    assert rig.status_level == b"\2"
    assert rig.status["state"] == state
    rig.wait(lambda: words in process.log, "the reason in the log")
    assert not rig.control.transition(number)
    threads, topics = process.threads, len(publishers(rig))
    for _ in range(5):
        assert not rig.control.transition(number)
        assert rig.control.state() == state
    rig.wait(lambda: process.threads <= threads, "the threads of the last try to end")
    rig.wait(lambda: len(publishers(rig)) <= topics, "the publishers of the last try to go")
    assert "Traceback" not in process.log
    assert process.alive


@pytest.mark.parametrize("damage", [bad_colours, deep_json])
def test_an_exception_while_configuring_leaves_the_node_unconfigured(start, tmp_path, damage):
    path = tmp_path / "model.onnx"
    damage(path)
    process, rig = start(connected=False, parameters={"model": str(path)})
    assert_fails_without_a_leak(process, rig, CONFIGURE, "could not configure: ", "unconfigured")
    write_probe(path)
    assert rig.control.transition(CONFIGURE)
    assert rig.control.transition(ACTIVATE)
    rig.warm_up()


def test_a_wrong_qos_word_of_an_output_is_explained_while_configuring(start):
    overrides = {"points": {"publisher.reliability": "relaible"}}
    process, rig = start(connected=False, qos_overrides=overrides)
    assert_fails_without_a_leak(process, rig, CONFIGURE, "`reliability`: `relaible`", "unconfigured")


def test_a_wrong_qos_word_of_an_input_is_explained_while_activating(start):
    overrides = {"right/image_rect": {"subscription.reliability": "relaible"}}
    process, rig = start(connected=False, qos_overrides=overrides)
    assert_fails_without_a_leak(process, rig, ACTIVATE, "`reliability`: `relaible`", "inactive")
    subscriptions = rig.node.get_subscriber_names_and_types_by_node("stereo_node", rig.node.get_namespace())
    assert not any(topic.endswith("left/image_rect") for topic, _ in subscriptions)


def test_silence_is_told_every_ten_seconds_and_not_every_second(start):
    """Its wording has a new number in it each second."""
    process, rig = start()

    def told_at_s():
        return [float(t) for t in re.findall(r"\[(\d+\.\d+)\] .*no stereo pair for 2 s: no message any", process.log)]

    rig.wait(lambda: len(told_at_s()) >= 3, "the silence to be told three times")
    assert np.diff(told_at_s()).min() > 9.9
