# SPDX-License-Identifier: Apache-2.0
"""The sample bag that ships with the project is what docs/bags.md says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from depth_replay.bags.bag import bag_topics, read_bag
from depth_replay.messages import topics
from depth_replay.messages.definitions import deserialize, header_stamp_ns
from depth_replay.scoring.truth import read_camera, read_pixels, read_truth

SAMPLE = Path(__file__).resolve().parents[5] / "samples" / "stereo_sample.mcap"
STAMPED = (
    topics.compressed(topics.LEFT_IMAGE),
    topics.compressed(topics.RIGHT_IMAGE),
    topics.LEFT_INFO,
    topics.RIGHT_INFO,
    topics.compressed(topics.TRUTH_DISPARITY),
    topics.compressed(topics.TRUTH_SEMANTIC),
    topics.compressed(topics.TRUTH_INSTANCE),
)


def test_it_stays_below_12_mb():
    assert SAMPLE.stat().st_size <= 12_000_000


def test_it_has_80_frames_at_10_hz_with_equal_stamps_on_all_topics():
    stamps = {name: [] for name in STAMPED}
    for message in read_bag(SAMPLE, set(STAMPED)):
        assert header_stamp_ns(message.data) == message.time_ns
        stamps[message.topic].append(message.time_ns)
    first = stamps[STAMPED[0]]
    assert all(times == first for times in stamps.values())
    assert len(first) == 80
    np.testing.assert_allclose(np.diff(first), 1e8, atol=1000)


def test_its_truth_has_the_size_of_the_images_and_finer_steps_than_a_quarter_pixel():
    truth = read_truth(SAMPLE, read_camera(SAMPLE))
    stamp = next(iter(truth.messages[topics.TRUTH_DISPARITY]))
    disparity = truth.disparity(stamp)
    assert disparity.shape == truth.semantic(stamp).shape == (384, 640)
    known = disparity[np.isfinite(disparity)]
    assert len(np.unique(known)) > 1000
    assert 0.5 < known.min() < known.max() < 128
    depth = truth.depth(stamp)
    np.testing.assert_allclose(depth[np.isfinite(depth)] * known, 512.0 * 0.42, rtol=1e-5)


def test_its_ids_all_have_a_label():
    labels = {label["id"]: label["name"] for label in read_truth(SAMPLE, read_camera(SAMPLE)).labels}
    seen = set()
    for message in read_bag(SAMPLE, {topics.compressed(topics.TRUTH_SEMANTIC)}):
        seen |= set(np.unique(read_pixels(message)).tolist())
    assert seen <= {*labels, 255}
    assert {"road", "vehicle", "person", "sky"} <= {labels[number] for number in seen if number != 255}


def test_ros2_bag_finds_its_metadata_inside():
    content = SAMPLE.read_bytes()
    assert b"relative_file_paths" in content
    assert SAMPLE.name.encode() in content
    labels = next(iter(read_bag(SAMPLE, {topics.TRUTH_LABELS})))
    assert json.loads(deserialize(labels.data, labels.msgtype).data)
    assert bag_topics(SAMPLE)[topics.TRUTH_LABELS].latched
