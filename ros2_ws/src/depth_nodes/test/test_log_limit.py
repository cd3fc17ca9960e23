# SPDX-License-Identifier: Apache-2.0
import pytest

pytest.importorskip("rclpy")

from depth_nodes.log_limit import NEW_TEXT_S, REPEAT_S, LogLimit

SILENCE = "no message any more on left (last message {:.1f} s ago)"


def told(limit, texts, step_s, **options):
    """Times at which the texts, one each step, are let through."""
    times = [i * step_s for i in range(len(texts))]
    return [t for t, text in zip(times, texts, strict=True) if limit.allows("silence", text, t, **options)]


def test_a_sentence_that_differs_in_its_numbers_only_is_told_every_ten_seconds():
    assert told(LogLimit(), [SILENCE.format(i) for i in range(31)], 1.0) == [0, 10, 20, 30]


def test_another_sentence_about_the_same_cause_is_told_after_a_second():
    texts = ["left is silent", "right is silent", "right is silent", "both are silent"]
    assert told(LogLimit(), texts, NEW_TEXT_S / 2) == [0, NEW_TEXT_S]


def test_sentences_that_take_turns_are_each_told_every_ten_seconds():
    assert told(LogLimit(), ["left is silent", "right is silent"] * 11, 1.0) == [0, 1, 10, 11, 20, 21]


def test_the_gap_may_be_as_long_for_other_sentences():
    assert told(LogLimit(), ["left is silent", "right is silent"] * 11, 1.0, new_text_s=REPEAT_S) == [0, 10, 20]


def test_causes_do_not_silence_each_other():
    limit = LogLimit()
    assert limit.allows("size", "text", 0.0)
    assert limit.allows("step", "text", 0.0)
    assert not limit.allows("size", "text", 0.1)
