# SPDX-License-Identifier: Apache-2.0
import pytest
from depth_nodes.pairing import LEFT, LEFT_INFO, RIGHT, RIGHT_INFO, TOPICS, WAITING_ROOM, PairMatcher
from depth_nodes.pairing_words import explain_silence

MS = 1_000_000


def feed(matcher, stamp_ns, topics=TOPICS, now_s=0.0):
    """The pair that the last of the messages completes."""
    pair = None
    for topic in topics:
        pair = matcher.add(topic, stamp_ns, f"{topic}@{stamp_ns}", now_s) or pair
    return pair


@pytest.mark.parametrize("order", [TOPICS, TOPICS[::-1], (RIGHT_INFO, LEFT, LEFT_INFO, RIGHT)])
def test_four_equal_stamps_are_a_pair_in_any_order(order):
    pair = feed(PairMatcher(), 7 * MS, order)
    assert pair.stamp_ns == 7 * MS
    assert pair.messages == {topic: f"{topic}@{7 * MS}" for topic in TOPICS}


def test_a_lost_message_costs_its_frame_and_is_counted_on_the_others():
    matcher = PairMatcher()
    assert feed(matcher, 1 * MS, (LEFT, LEFT_INFO, RIGHT_INFO)) is None
    assert feed(matcher, 2 * MS) is not None
    assert [matcher.topics[t].unpaired for t in TOPICS] == [1, 0, 1, 1]


def test_stamps_one_nanosecond_apart_do_not_match_exactly():
    matcher = PairMatcher()
    feed(matcher, 5 * MS, (LEFT, LEFT_INFO, RIGHT_INFO))
    assert matcher.add(RIGHT, 5 * MS + 1, "right", 0.0) is None


def test_what_waits_is_bounded_and_counted():
    matcher = PairMatcher()
    for i in range(WAITING_ROOM + 5):
        matcher.add(LEFT, i * MS, i, 0.0)
    assert len(matcher.topics[LEFT].waiting) == WAITING_ROOM
    assert matcher.topics[LEFT].unpaired == 5


def test_tolerance_takes_the_nearest_and_the_left_stamp():
    matcher = PairMatcher(tolerance_ns=10 * MS)
    matcher.add(RIGHT, 92 * MS, "early", 0.0)
    matcher.add(RIGHT, 103 * MS, "near", 0.0)
    matcher.add(LEFT_INFO, 100 * MS, "info", 0.0)
    matcher.add(RIGHT_INFO, 101 * MS, "info", 0.0)
    assert matcher.add(LEFT, 100 * MS, "left", 0.0) is None  # one of 103 may come, for all that is known of the rate
    pair = matcher.add(LEFT, 111 * MS, "next", 0.0)
    assert pair.stamp_ns == 100 * MS
    assert pair.messages[RIGHT] == "near"
    assert matcher.topics[RIGHT].unpaired == 1


def test_outside_the_tolerance_is_no_pair():
    matcher = PairMatcher(tolerance_ns=10 * MS)
    feed(matcher, 100 * MS, (LEFT, LEFT_INFO, RIGHT_INFO))
    assert matcher.add(RIGHT, 111 * MS, "right", 0.0) is None


def test_cached_infos_count_whatever_their_stamp_but_must_exist():
    matcher = PairMatcher(cache_info=True)
    assert feed(matcher, 1 * MS, (LEFT, RIGHT)) is None
    matcher.add(LEFT_INFO, 0, "left info", 0.0)
    matcher.add(RIGHT_INFO, 0, "right info", 0.0)
    pair = feed(matcher, 2 * MS, (LEFT, RIGHT))
    assert pair.messages[LEFT_INFO] == "left info"


def test_a_cached_info_with_an_old_stamp_does_not_clear_the_images():
    matcher = PairMatcher(cache_info=True)
    feed(matcher, 9000 * MS)
    matcher.add(LEFT, 9100 * MS, "left", 0.0)
    matcher.add(LEFT_INFO, 5 * MS, "info", 0.0)
    assert matcher.jumps == 0
    assert matcher.add(RIGHT, 9100 * MS, "right", 0.0) is not None


def test_stamps_that_go_back_clear_what_waits():
    matcher = PairMatcher()
    feed(matcher, 9000 * MS)
    matcher.add(LEFT, 9100 * MS, "old left", 0.0)
    assert feed(matcher, 1000 * MS) is not None
    assert matcher.jumps == 1
    assert matcher.topics[LEFT].unpaired == 1


def test_small_disorder_is_no_jump():
    matcher = PairMatcher()
    matcher.add(LEFT, 1000 * MS, "a", 0.0)
    matcher.add(LEFT, 960 * MS, "b", 0.0)
    assert matcher.jumps == 0
    assert len(matcher.topics[LEFT].waiting) == 2


def test_silence_names_topics_that_never_spoke_before_those_that_stopped():
    matcher = PairMatcher()
    feed(matcher, 1 * MS, (LEFT, RIGHT, LEFT_INFO), now_s=10.0)
    assert explain_silence(matcher, 15.0, 2.0) == f"no message yet on {RIGHT_INFO}"
    matcher.add(RIGHT_INFO, 1 * MS, "info", 14.5)
    text = explain_silence(matcher, 15.0, 2.0)
    assert f"{LEFT} (last message 5.0 s ago)" in text
    assert RIGHT_INFO not in text


def test_silence_gives_the_offsets_of_stamps_that_do_not_match():
    matcher = PairMatcher()
    feed(matcher, 100 * MS, (LEFT, LEFT_INFO, RIGHT_INFO), now_s=10.0)
    matcher.add(RIGHT, 75 * MS, "right", 10.0)
    text = explain_silence(matcher, 11.0, 2.0)
    assert f"{RIGHT} -25.000 ms" in text
    assert "approximate_sync" in text
