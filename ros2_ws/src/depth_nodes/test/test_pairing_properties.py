# SPDX-License-Identifier: Apache-2.0
"""What holds for every order in which messages arrive, get lost or come twice."""

import pytest

pytest.importorskip("hypothesis", reason="hypothesis is not installed")
from depth_nodes.pairing import INFOS, LEFT, RIGHT, RIGHT_INFO, TOPICS, PairMatcher
from hypothesis import given
from hypothesis import strategies as st

MS = 1_000_000
RIGHTS = (RIGHT, RIGHT_INFO)


@st.composite
def streams(draw):
    """(topic, stamp in ms) of some frames: in any order, some lost, late, jittered, or from before a jump back."""
    messages, start_ms = [], 0
    for _ in range(draw(st.integers(0, 8))):
        start_ms += draw(st.sampled_from([0, 5, 50, 50, 50, -600]))
        topics = draw(st.permutations(TOPICS))[: draw(st.sampled_from([4, 4, 4, 3, 1]))]
        jitters = draw(st.sampled_from([(0,), (0,), (0, 0, 1), (0, 3, 8, 12)]))
        messages += [(topic, start_ms + draw(st.sampled_from(jitters))) for topic in topics]
    for _ in range(draw(st.integers(0, 6)) if len(messages) > 1 else 0):
        place = draw(st.integers(0, len(messages) - 2))
        messages[place], messages[place + 1] = messages[place + 1], messages[place]
    return messages


MESSAGES = streams()


def play(matcher, messages):
    """Pairs of a list of (topic, stamp in ms); each message is (its number, topic, stamp in ns)."""
    pairs = (
        matcher.add(topic, stamp_ms * MS, (number, topic, stamp_ms * MS), 0.0)
        for number, (topic, stamp_ms) in enumerate(messages)
    )
    return [pair for pair in pairs if pair is not None]


@given(MESSAGES, st.integers(0, 10), st.booleans())
def test_every_pair_has_four_topics_and_stamps_within_the_tolerance(messages, tolerance_ms, cache_info):
    for pair in play(PairMatcher(tolerance_ms * MS, cache_info), messages):
        assert tuple(pair.messages) == TOPICS
        assert pair.stamp_ns == pair.messages[LEFT][2]
        for topic, (_, of, stamp_ns) in pair.messages.items():
            assert of == topic
            if not (cache_info and topic in INFOS):
                assert abs(stamp_ns - pair.stamp_ns) <= tolerance_ms * MS


@given(MESSAGES, st.integers(0, 10), st.booleans())
def test_every_message_is_paired_once_waits_or_is_counted_as_lost(messages, tolerance_ms, cache_info):
    matcher = PairMatcher(tolerance_ms * MS, cache_info)
    pairs = play(matcher, messages)
    assert matcher.pairs == len(pairs)
    for topic in TOPICS:
        if cache_info and topic in INFOS:
            continue
        state = matcher.topics[topic]
        used = [pair.messages[topic][0] for pair in pairs]
        assert len(set(used)) == len(used)
        assert state.received == len(used) + len(state.waiting) + state.unpaired


@given(st.lists(st.permutations(TOPICS).flatmap(lambda order: st.integers(0, 4).map(lambda n: order[:n])), max_size=30))
def test_frames_that_arrive_whole_are_paired_and_the_others_are_not(frames):
    """Frame after frame, each with up to four of its messages in any order."""
    messages = [(topic, 50 * number) for number, topics in enumerate(frames) for topic in topics]
    pairs = play(PairMatcher(), messages)
    assert [pair.stamp_ns for pair in pairs] == [50 * MS * n for n, topics in enumerate(frames) if len(topics) == 4]


@given(
    st.lists(st.permutations(TOPICS).flatmap(lambda order: st.integers(1, 4).map(lambda n: order[:n])), max_size=40),
    st.integers(0, 200),
    st.integers(-20, 20),
    st.booleans(),
)
def test_frames_are_never_mixed_whatever_is_lost_and_however_wide_the_tolerance(frames, tolerance_ms, late_ms, cache):
    """Frames at 20 Hz of which messages get lost, the right camera's stamps late by less than half the interval.

    Three whole frames come first, which tell the interval.
    """
    frames = [TOPICS] * 3 + frames
    messages = [
        (topic, 1000 + 50 * number + (late_ms if topic in RIGHTS else 0))
        for number, topics in enumerate(frames)
        for topic in topics
    ]
    pairs = play(PairMatcher(tolerance_ms * MS, cache), messages)
    assert len(pairs) >= 2 or abs(late_ms) > tolerance_ms
    for pair in pairs:
        left = pair.messages[LEFT][2]
        for topic, (_, of, stamp_ns) in pair.messages.items():
            assert of == topic
            if not (cache and topic in INFOS):
                assert stamp_ns - left == (late_ms * MS if topic in RIGHTS else 0)
