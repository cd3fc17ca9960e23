# SPDX-License-Identifier: Apache-2.0
"""score on maps whose errors are known by construction."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from depth_replay.bags.writer import BagWriter
from depth_replay.cli import main
from depth_replay.messages import topics
from depth_replay.messages.calibration import camera_infos
from depth_replay.messages.definitions import DISPARITY, STRING, TYPES, serialize
from depth_replay.messages.image_codec import compress, header, image_message
from depth_replay.scoring.score import pooled, score_bags
from depth_runtime.camera import StereoCamera
from depth_runtime.rectification import BaselineRule

HEIGHT, WIDTH = 20, 50
CAMERA = StereoCamera(60.0, 58.0, 24.0, 21.5, 9.0, 0.25, (HEIGHT, WIDTH))
SHIFT_PX = 2.5
NAMES = [{"id": 0, "name": "road"}, {"id": 1, "name": "car"}]


def write_truth(path, stored, semantic=None, labels=NAMES, infos=True):
    """Truth bag: stored disparity (pixels * 256) and class ids of each stamp."""
    with BagWriter(path) as writer:
        for stamp, disparity in stored.items():
            message_header = header(stamp, "cam")
            entries = [(topics.compressed(topics.TRUTH_DISPARITY), compress(disparity, "16UC1", "png", message_header))]
            if semantic is not None:
                ids = compress(semantic[stamp], "mono8", "png", message_header)
                entries.append((topics.compressed(topics.TRUTH_SEMANTIC), ids))
                entries.append((topics.TRUTH_LABELS, TYPES.types[STRING](data=json.dumps(labels))))
            if infos:
                cameras = camera_infos(CAMERA, stamp, "cam")
                entries += zip((topics.LEFT_INFO, topics.RIGHT_INFO), cameras, strict=True)
            write_all(writer, stamp, entries)
    return path


def write_all(writer, stamp, entries):
    for topic, message in entries:
        if not writer.has_topic(topic):
            writer.add_topic(topic, message.__msgtype__)
        writer.write(topic, stamp, serialize(message))


def published_disparity(stamp, disparity_px):
    """What a node publishes: picture disparity minus the shift of the principal points, 0..64 px."""
    height, width = disparity_px.shape
    shifted = (disparity_px - SHIFT_PX * width / WIDTH).astype(np.float32)
    window = TYPES.types["sensor_msgs/msg/RegionOfInterest"](0, 0, height, width, False)
    image = image_message(shifted, "32FC1", header(stamp, "cam"))
    low, high = -SHIFT_PX * width / WIDTH, 64.0
    return TYPES.types[DISPARITY](header(stamp, "cam"), image, 60.0, 0.25, window, low, high, 0.0625)


def write_outputs(path, disparities, extra=()):
    with BagWriter(path) as writer:
        for stamp, disparity in disparities.items():
            write_all(writer, stamp, [(topics.DISPARITY, published_disparity(stamp, disparity))])
        for stamp, topic, message in extra:
            write_all(writer, stamp, [(topic, message)])
    return path


def test_disparity_errors_are_those_that_were_put_in(tmp_path):
    stored = np.full((HEIGHT, WIDTH), 20 * 256, np.uint16)
    stored[:2] = 0  # no truth in 100 of 1000 pixels
    published = np.full((HEIGHT, WIDTH), 20.25)
    published[:2] = 55.0
    published[2:5] = 25.0  # 150 of 900 known pixels: 5 px wrong
    published[5:6] = np.nan  # 50 of 900: no prediction
    truth = write_truth(tmp_path / "truth.mcap", {1000: stored, 2000: stored})
    score = score_bags(write_outputs(tmp_path / "out.mcap", {1000: published, 7777: published}), truth)
    figures = score.figures["disparity"]
    assert score.frames == {"disparity": 1}
    assert figures["epe"] == pytest.approx((150 * 5 + 700 * 0.25) / 850, abs=1e-5)
    assert figures["d1"] == figures["bad2"] == pytest.approx(100 * 150 / 850)
    assert figures["density"] == pytest.approx(100 * 850 / 900)


def test_truth_of_another_size_is_met_by_scaling_the_disparity_with_the_width(tmp_path):
    stored = np.full((HEIGHT, WIDTH), 30 * 256, np.uint16)
    half = np.full((HEIGHT // 2, WIDTH // 2), 15.5)
    truth = write_truth(tmp_path / "truth.mcap", {1000: stored})
    score = score_bags(write_outputs(tmp_path / "out.mcap", {1000: half}), truth)
    assert score.figures["disparity"]["epe"] == pytest.approx(1.0, abs=1e-4)
    assert score.figures["disparity"]["density"] == 100
    assert any("25x10, truth is 50x20" in note for note in score.notes)


@pytest.mark.parametrize("encoding", ["32FC1", "16UC1"])
def test_depth_is_held_against_focal_length_times_baseline_over_shifted_disparity(tmp_path, encoding):
    stored = np.full((HEIGHT, WIDTH), 8 * 256, np.uint16)
    true_m = 60.0 * 0.25 / (8 - SHIFT_PX)
    depth = np.full((HEIGHT, WIDTH), 1.1 * true_m, np.float32)
    depth[:5] = 1.5 * true_m
    depth[5] = np.inf
    if encoding == "16UC1":
        depth = np.where(np.isfinite(depth), depth * 1000, 0).round().astype(np.uint16)
    message = image_message(depth, encoding, header(1000, "cam"))
    outputs = write_outputs(tmp_path / "out.mcap", {}, [(1000, topics.DEPTH, message)])
    figures = score_bags(outputs, write_truth(tmp_path / "truth.mcap", {1000: stored})).figures["depth"]
    assert figures["abs_rel"] == pytest.approx(100 * (250 * 0.5 + 700 * 0.1) / 950, abs=0.02)
    assert figures["delta1"] == pytest.approx(100 * 700 / 950)
    assert figures["density"] == pytest.approx(95)


def test_truth_at_half_the_cameras_size_has_half_its_focal_length_and_shift(tmp_path):
    stored = np.full((HEIGHT // 2, WIDTH // 2), 4 * 256, np.uint16)
    depth = np.full(stored.shape, 30.0 * 0.25 / (4 - SHIFT_PX / 2), np.float32)
    outputs = write_outputs(
        tmp_path / "out.mcap", {}, [(1000, topics.DEPTH, image_message(depth, "32FC1", header(1000, "cam")))]
    )
    figures = score_bags(outputs, write_truth(tmp_path / "truth.mcap", {1000: stored})).figures["depth"]
    assert figures["abs_rel"] == pytest.approx(0, abs=1e-4)


def test_a_calibration_without_a_baseline_is_said_and_leaves_depth_out(tmp_path):
    camera = replace(CAMERA, baseline_m=1.0)
    infos = camera_infos(camera, 1000, "cam")
    infos[1].p[3] = 0.0
    stored = np.full((HEIGHT, WIDTH), 8 * 256, np.uint16)
    truth = write_truth(tmp_path / "truth.mcap", {1000: stored}, infos=False)
    depth = image_message(np.ones((HEIGHT, WIDTH), np.float32), "32FC1", header(1000, "cam"))
    entries = zip((topics.LEFT_INFO, topics.RIGHT_INFO, topics.DEPTH), (*infos, depth), strict=True)
    outputs = write_outputs(tmp_path / "out.mcap", {}, [(1000, topic, message) for topic, message in entries])
    score = score_bags(outputs, truth)
    assert "depth" not in score.figures
    assert any("out.mcap: expected a baseline > 0 m" in note for note in score.notes)
    assert any("depth is left out: no usable camera_info" in note for note in score.notes)
    given = score_bags(outputs, truth, BaselineRule(1.0))
    true_m = CAMERA.fx * 1.0 / (8 - CAMERA.disparity_shift_px)
    assert given.figures["depth"]["abs_rel"] == pytest.approx(100 * (true_m - 1) / true_m, rel=1e-4)


def test_classes_are_matched_by_name_and_unlabelled_truth_does_not_count(tmp_path):
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[:, 30:] = 1
    ids[0] = 255
    stored = np.full((HEIGHT, WIDTH), 256, np.uint16)
    truth = write_truth(tmp_path / "truth.mcap", {1000: stored}, {1000: ids})
    prediction = np.full((HEIGHT, WIDTH), 4, np.uint8)  # the network numbers them the other way round
    prediction[:, 40:] = 2
    labels = {"labels": [{"id": 4, "name": "road"}, {"id": 2, "name": "car"}], "unlabelled": 255}
    outputs = write_outputs(
        tmp_path / "out.mcap",
        {},
        [
            (1000, topics.SEMANTIC, image_message(prediction, "mono8", header(1000, "cam"))),
            (1000, topics.LABELS, TYPES.types[STRING](data=json.dumps(labels))),
        ],
    )
    score = score_bags(outputs, truth)
    road, car = 100 * 30 / 40, 100 * 10 / 20
    assert score.class_iou == {"road": pytest.approx(road), "car": pytest.approx(car)}
    assert score.figures["semantic"]["miou"] == pytest.approx((road + car) / 2)


@pytest.mark.parametrize("encoding", ["32FC1", "16UC1"])
def test_near_sky_is_counted_although_it_has_no_true_disparity(tmp_path, encoding):
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[:10] = 2
    none = np.zeros((HEIGHT, WIDTH), np.uint16)
    truth = write_truth(tmp_path / "truth.mcap", {1000: none}, {1000: ids}, [*NAMES, {"id": 2, "name": "sky"}])
    depth = np.full((HEIGHT, WIDTH), 3.0, np.float32)  # right below the sky, wrong in 3 of its 10 rows
    depth[:5] = 60.0
    depth[5], depth[6] = np.inf, np.nan
    if encoding == "16UC1":
        depth = np.where(np.isfinite(depth), depth * 1000, 0).round().astype(np.uint16)
    message = image_message(depth, encoding, header(1000, "cam"))
    score = score_bags(write_outputs(tmp_path / "out.mcap", {}, [(1000, topics.DEPTH, message)]), truth)
    assert score.figures["sky"] == {"nearer_than_50_m": pytest.approx(30)}
    assert score.frames["sky"] == 1
    assert ("sky", "nearer_than_50_m", "30.000 %") in score.rows()


def test_panoptic_quality_counts_instances_of_the_same_stamp(tmp_path):
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[5:15, 5:15] = ids[5:15, 30:40] = 1
    true_instance = np.zeros((HEIGHT, WIDTH), np.uint16)
    true_instance[5:15, 5:15], true_instance[5:15, 30:40] = 1, 2
    prediction = true_instance.copy()
    prediction[5:15, 30:40] = 1  # both cars in one: IoU 0.5 with each is no match
    labels = [{"id": 0, "name": "road", "thing": False}, {"id": 1, "name": "car", "thing": True}]
    stored = np.full((HEIGHT, WIDTH), 256, np.uint16)
    truth_path = tmp_path / "truth.mcap"
    with BagWriter(truth_path) as writer:
        head = header(1000, "cam")
        write_all(
            writer,
            1000,
            [
                (topics.compressed(topics.TRUTH_DISPARITY), compress(stored, "16UC1", "png", head)),
                (topics.compressed(topics.TRUTH_SEMANTIC), compress(ids, "mono8", "png", head)),
                (topics.compressed(topics.TRUTH_INSTANCE), compress(true_instance, "mono16", "png", head)),
                (topics.TRUTH_LABELS, TYPES.types[STRING](data=json.dumps(labels))),
            ],
        )
    outputs = write_outputs(
        tmp_path / "out.mcap",
        {},
        [
            (1000, topics.SEMANTIC, image_message(ids, "mono8", header(1000, "cam"))),
            (1000, topics.INSTANCE, image_message(prediction, "mono16", header(1000, "cam"))),
            (1000, topics.LABELS, TYPES.types[STRING](data=json.dumps({"labels": labels}))),
        ],
    )
    score = score_bags(outputs, truth_path)
    assert score.frames["panoptic"] == 1
    assert score.figures["panoptic"]["pq_stuff"] == pytest.approx(100)
    assert score.figures["panoptic"]["pq_things"] == 0


def test_without_truth_the_figures_are_left_out_and_that_is_said(tmp_path, capsys):
    published = np.full((HEIGHT, WIDTH), 12.0)
    outputs = write_outputs(tmp_path / "out.mcap", {1000: published})
    assert main(["score", str(outputs), "--json", str(tmp_path / "score.json")]) == 0
    assert "disparity is left out: out.mcap has no /ground_truth/disparity" in capsys.readouterr().out
    assert json.loads((tmp_path / "score.json").read_text())["figures"] == {}


def test_truth_of_another_recording_is_noticed(tmp_path):
    stored = np.full((HEIGHT, WIDTH), 2560, np.uint16)
    truth = write_truth(tmp_path / "truth.mcap", {1000: stored})
    score = score_bags(write_outputs(tmp_path / "out.mcap", {1001: np.full((HEIGHT, WIDTH), 10.0)}), truth)
    assert score.figures == {}
    assert any("no stamp of /disparity equals" in note for note in score.notes)


def test_pooling_weighs_frames_by_their_pixels():
    frames = [
        {"epe": 1.0, "density": 100.0, "pixels": 300, "truth_pixels": 300},
        {"epe": 5.0, "density": 25.0, "pixels": 100, "truth_pixels": 400},
        {"epe": float("nan"), "density": 0.0, "pixels": 0, "truth_pixels": 100},
    ]
    assert pooled(frames) == {"epe": 2.0, "density": 50.0, "pixels": 400.0}
