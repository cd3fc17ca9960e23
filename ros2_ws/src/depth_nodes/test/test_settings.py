# SPDX-License-Identifier: Apache-2.0
"""Settings change as a whole or not at all; the table of outputs decides what there is."""

import dataclasses

import pytest

pytest.importorskip("rclpy")

from depth_nodes.outputs import Output, toggles
from depth_nodes.settings import StereoSettings
from depth_nodes.stereo_node import PARAMETERS
from depth_nodes.stereo_outputs import OUTPUTS


def test_every_toggle_of_the_table_is_a_dynamic_parameter():
    names = {name for name in PARAMETERS.by_name if name.startswith("publish.")}
    assert names == {f"publish.{name}" for name in toggles(OUTPUTS)}
    assert all(PARAMETERS.by_name[name].dynamic for name in names)
    assert "publish.depth_info" not in names
    assert {output.switch for output in OUTPUTS if output.topic.startswith("depth/")} == {"depth"}


def test_a_change_makes_new_settings_and_leaves_the_old_ones_alone():
    before = StereoSettings(publish=frozenset({"depth", "points"}))
    after = PARAMETERS.changed(before, {"max_depth_m": 9.0, "publish.points": False}, running=True)
    assert (after.max_depth_m, after.publish) == (9.0, {"depth"})
    assert (before.max_depth_m, before.publish) == (200.0, {"depth", "points"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        after.max_depth_m = 1.0


def test_parameters_that_are_not_the_nodes_own_are_passed_over():
    before = StereoSettings()
    assert PARAMETERS.changed(before, {"use_sim_time": True, "qos_overrides./x.y": 3}, running=True) == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"min_depth_m": 300.0}, "min_depth_m < max_depth_m"),
        ({"depth_encoding": "8UC1"}, r"one of \['32FC1', '16UC1'\]"),
        ({"max_depth_m": float("nan")}, "max_depth_m as a number with a point .* from 0 to 10000, got nan"),
        ({"threads": 3}, "threads takes effect when the node is configured"),
        ({"max_depth_m": 500.0, "model": "other"}, "model takes effect"),
    ],
)
def test_what_must_be_refused_says_why(changes, words):
    with pytest.raises(ValueError, match=words):
        PARAMETERS.changed(StereoSettings(), changes, running=True)


def test_static_parameters_change_freely_before_the_node_is_configured_and_to_themselves_always():
    assert PARAMETERS.changed(StereoSettings(), {"threads": 3}, running=False).threads == 3
    assert PARAMETERS.changed(StereoSettings(threads=3), {"threads": 3}, running=True).threads == 3


def test_outputs_are_told_apart_by_name_and_topic():
    assert len({output.name for output in OUTPUTS}) == len({output.topic for output in OUTPUTS}) == len(OUTPUTS)
    assert all(isinstance(output, Output) for output in OUTPUTS)
