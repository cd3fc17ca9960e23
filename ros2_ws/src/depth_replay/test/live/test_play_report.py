# SPDX-License-Identifier: Apache-2.0
"""Frames of a player are left images, whatever the stamps of the other topics are."""

import json

import pytest
from depth_replay.live.play_report import PlayReport
from depth_replay.live.player import frame_topic

MS = 1_000_000


def played(offset_ns, count=12, interval_ns=100 * MS):
    """A report of `count` pairs whose right images are stamped offset_ns later and leave 2 ms after the left ones."""
    report = PlayReport(tolerance_ns=interval_ns // 2)
    for i in range(count):
        report.add_frame(i * interval_ns, 0, now_ns=i * interval_ns)
        report.belongs(i * interval_ns + offset_ns, now_ns=i * interval_ns + 2 * MS)
    return report


@pytest.mark.parametrize("offset_ns", [0, 12_000, -12_000, 3 * MS, -49 * MS])
def test_a_right_stamp_that_differs_makes_no_frame(offset_ns):
    report = json.loads(played(offset_ns).to_json())
    assert report["frames_sent"] == 12
    assert report["rate_hz"] == pytest.approx(10)
    assert [frame["stamp_ns"] for frame in report["frames"]] == [i * 100 * MS for i in range(12)]
    assert [frame["sent_ns"] for frame in report["frames"]] == [i * 100 * MS + 2 * MS for i in range(12)]


def test_a_right_image_of_a_lost_left_one_belongs_to_no_frame():
    report = played(0, count=2)
    report.belongs(300 * MS, now_ns=300 * MS)
    assert [frame["sent_ns"] for frame in report.frames] == [2 * MS, 102 * MS]


def test_in_the_next_loop_the_same_stamps_belong_to_the_new_frames():
    report = PlayReport(tolerance_ns=50 * MS)
    for loop in range(2):
        report.add_frame(7, loop, now_ns=loop * 1000 * MS)
        report.belongs(7, now_ns=loop * 1000 * MS + 1)
    assert [(frame["loop"], frame["sent_ns"]) for frame in report.frames] == [(0, 1), (1, 1000 * MS + 1)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["/left/camera_info", "/left/image_rect/compressed", "/right/image_rect"], "/left/image_rect/compressed"),
        (["/cam1/image", "/cam0/image", "/cam0/camera_info"], "/cam0/image"),
        (["/cam0/camera_info"], "/cam0/camera_info"),
        ([], ""),
    ],
)
def test_frames_are_left_images_else_the_first_ones(names, expected):
    assert frame_topic(names) == expected
