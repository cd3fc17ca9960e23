# SPDX-License-Identifier: Apache-2.0
"""How fast a demo plays: as fast as its network keeps up on this machine, said out loud."""

import pytest
from depth_replay.cli import main
from depth_replay.live import pace
from depth_replay.live.pace import AUTO, Pace, find_pace, sustained_hz
from depth_replay.messages import topics
from depth_runtime.choice import Trial

TRIALS = [Trial("stereo_s", "a CPU", 300.0), Trial("stereo_xs_int8", "a CPU", 100.0)]


@pytest.fixture
def bag(tmp_path, sequences):
    """Four frames of 40x24 at 10 Hz."""
    source = sequences.plain(tmp_path / "source", count=4)
    assert main(["images-to-bag", str(source), "--out", str(tmp_path / "bag.mcap"), "--compress", "none"]) == 0
    return tmp_path / "bag.mcap"


@pytest.fixture
def sizes(monkeypatch):
    """Sizes at which networks were tried; nothing is computed."""
    tried = []
    monkeypatch.setattr(pace, "try_networks", lambda size: tried.append(size) or TRIALS)
    monkeypatch.setattr(pace, "try_network", lambda model, size: tried.append(size) or Trial(model, "a CPU", 300.0))
    return tried


def found(bag, model, hz):
    return find_pace(bag, topics.LEFT_IMAGE, topics.LEFT_INFO, model, hz)


@pytest.mark.parametrize(
    ("kept_hz", "recorded_hz", "expected"),
    [(5.85, 10.0, 5.0), (30.0, 10.0, 10.0), (10.0, 10.0, 10.0), (1.02, 5.0, 1.0), (0.7, 5.0, 0.5), (0.3, 5.0, 0.25)],
)
def test_the_rate_is_the_recorded_one_or_a_round_one_below_what_is_kept(kept_hz, recorded_hz, expected):
    assert sustained_hz(kept_hz, recorded_hz) == pytest.approx(expected)


def test_a_slow_machine_takes_the_network_that_keeps_up_and_says_so(bag, sizes):
    chosen = found(bag, AUTO, AUTO)
    assert (chosen.model, chosen.hz) == ("stereo_xs_int8", 7.0)
    assert sizes == [(32, 64)]  # 40x24 px, as the network sees them
    text = str(chosen)
    assert "this machine: stereo_xs_int8 at 7 Hz" in text
    assert ["stereo_s", "300", "2.4"] in [line.split() for line in text.splitlines()]


def test_a_network_of_ones_own_is_played_at_what_it_keeps(bag, sizes):
    assert (found(bag, "stereo_s", AUTO).hz, len(sizes)) == (2.0, 1)


def test_what_is_given_is_not_tried(bag, sizes):
    assert found(bag, "stereo_s", 5.0) == Pace("stereo_s", 5.0)
    assert found(bag, "stereo_s", None) == Pace("stereo_s", None)
    assert str(found(bag, "stereo_s", None)) == ""
    assert sizes == []
    assert found(bag, AUTO, 9.0).hz == 9.0
