# SPDX-License-Identifier: Apache-2.0
"""A stream of frames of which some images are lost, paired within a tolerance."""

import pytest
from depth_nodes.pairing import LEFT, LEFT_INFO, RIGHT, RIGHT_INFO, TOPICS, PairMatcher
from depth_nodes.pairing_words import PairingWatch, explain_silence

MS = 1_000_000
PERIOD_MS = 33


def play(matcher, frames, lost=(), late_ms=0):
    """Pairs (left frame, right frame) of a stream at 30 Hz; lost: (topic, frame); right stamps late by late_ms."""
    pairs = []
    for frame in range(frames):
        for topic in TOPICS:
            if (topic, frame) in lost:
                continue
            late = late_ms if topic in (RIGHT, RIGHT_INFO) else 0
            pair = matcher.add(topic, (frame * PERIOD_MS + late) * MS, frame, frame * 0.033)
            if pair:
                pairs.append((pair.messages[LEFT], pair.messages[RIGHT], pair.messages[RIGHT_INFO]))
    return pairs


@pytest.mark.parametrize("tolerance_ms", [10, 33, 50, 200])
@pytest.mark.parametrize("late_ms", [0, 3, -5])
@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize(
    "lost", [[(LEFT, 5)], [(RIGHT, 5)], [(LEFT, 5), (RIGHT, 6)], [(RIGHT, 5), (LEFT, 6)], [(LEFT, 0)]]
)
def test_a_lost_image_costs_its_own_frame_only(tolerance_ms, late_ms, cached, lost):
    pairs = play(PairMatcher(tolerance_ms * MS, cached), 30, lost, late_ms)
    gone = {frame for _, frame in lost}
    # The last frame may still wait for a nearer partner.
    assert [left for left, _, _ in pairs][:28] == [f for f in range(30) if f not in gone][: len(pairs)][:28]
    assert len(pairs) >= 29 - len(gone)
    assert all(left == right for left, right, _ in pairs)
    if not cached:
        assert all(left == info for left, _, info in pairs)


def test_a_pair_within_the_tolerance_does_not_wait_once_the_rate_is_known():
    matcher = PairMatcher(10 * MS)
    play(matcher, 3, late_ms=4)
    matcher.add(LEFT, 99 * MS, 3, 0.1)
    matcher.add(LEFT_INFO, 99 * MS, 3, 0.1)
    matcher.add(RIGHT_INFO, 103 * MS, 3, 0.1)
    assert matcher.add(RIGHT, 103 * MS, 3, 0.1).messages[LEFT] == 3


@pytest.mark.parametrize(("tolerance_ms", "told"), [(16, False), (17, True), (50, True)])
def test_a_tolerance_above_half_the_period_is_told(tolerance_ms, told):
    matcher = PairMatcher(tolerance_ms * MS)
    play(matcher, 12)
    warnings = PairingWatch(matcher).warnings(1.0)
    assert [text.split(",")[0] for text in warnings] == (
        [f"approximate_sync_tolerance_s is {tolerance_ms / 1000}"] if told else []
    )
    if told:
        assert "half of the 0.0330 s" in warnings[0]
        assert "set it below 0.0165" in warnings[0]


def test_a_slow_camera_info_is_told_with_the_parameter_that_helps():
    matcher = PairMatcher()
    watch = PairingWatch(matcher)
    slow = [(info, f) for info in (LEFT_INFO, RIGHT_INFO) for f in range(60) if f % 10]
    assert len(play(matcher, 60, slow)) == 6
    (text,) = watch.warnings(2.0)
    assert text.startswith(f"46 of 60 messages of {LEFT} found no partner, mostly on {LEFT_INFO}, which sent 6 ")
    assert "cache_camera_info" in text


def test_stamps_that_stand_still_are_told():
    matcher = PairMatcher()
    watch = PairingWatch(matcher)
    for number in range(10):
        for topic in TOPICS:
            matcher.add(topic, 0, number, 0.1 * number)
    texts = watch.warnings(1.0)
    assert len(texts) == 2
    assert all("9 of 10 messages" in text and "repeat the stamp" in text for text in texts)


def test_what_is_long_past_is_not_told_any_more():
    matcher = PairMatcher()
    watch = PairingWatch(matcher)
    play(matcher, 60, [(RIGHT, f) for f in range(1, 60) if f % 3])
    assert watch.warnings(2.0)
    assert watch.warnings(11.9)
    assert watch.warnings(12.1) == []


def test_late_right_images_are_not_blamed_on_a_cached_camera_info():
    matcher = PairMatcher(cache_info=True)
    for topic in (LEFT_INFO, RIGHT_INFO):
        matcher.add(topic, 5 * MS, "info", 0.0)
    for frame in range(30):
        matcher.add(LEFT, 100 * frame * MS, "left", 0.1 * frame)
        matcher.add(RIGHT, (100 * frame + 30) * MS, "right", 0.1 * frame)
        text = explain_silence(matcher, 0.1 * frame, 2.0)
        assert f"{RIGHT} +30.000 ms" in text
        assert "approximate_sync" in text
        assert "camera_info" not in text


def test_a_camera_info_that_came_once_points_to_the_cache():
    matcher = PairMatcher()
    play(matcher, 12, [(info, f) for info in (LEFT_INFO, RIGHT_INFO) for f in range(1, 12)])
    text = explain_silence(matcher, 12 * 0.033 + 2.0, 2.1)
    assert f"no message any more on {LEFT_INFO}" in text
    assert "set cache_camera_info" in text
    assert sum(matcher.missing_now().values()) == 11
