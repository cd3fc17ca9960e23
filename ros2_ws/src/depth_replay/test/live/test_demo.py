# SPDX-License-Identifier: Apache-2.0
"""The parts of the demo, and the whole of it with a network whose predictions are known."""

from __future__ import annotations

import json
import os
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("depth_nodes")

from depth_replay.bags.bag import BagError, bag_topics, read_bag
from depth_replay.bags.outputs_bag import join_bags
from depth_replay.bags.writer import BagWriter
from depth_replay.cli import main
from depth_replay.live.dds_profile import VARIABLES, use_profile
from depth_replay.live.demo import baseline_rule, input_topics
from depth_replay.live.processes import ProcessDiedError, ProcessGroup
from depth_replay.messages import topics
from depth_replay.messages.calibration import camera_infos
from depth_replay.messages.definitions import TYPES, header_stamp_ns, serialize
from depth_replay.messages.image_codec import compress, header, image_message
from depth_replay.scoring.contact_sheet import moments, write_contact_sheet
from depth_replay.scoring.report import Recorded, build_report, frame_causes, report_text
from depth_replay.scoring.score import Score
from depth_runtime.camera import StereoCamera
from depth_runtime.rectification import BaselineRule

STAMPS = (5_000_000_000, 5_100_000_000, 5_200_000_000)
HEIGHT, WIDTH = 64, 96
# Far beyond what the slowest and busiest machine needs: only a program that hangs meets it.
HANGS_S = 300
# Images may not get lost on their way, whatever the machine does meanwhile.
RELIABLE = [
    word
    for side in ("left", "right")
    for topic in ("image_rect", "camera_info")
    for word in ("--param", f"qos_overrides./{side}/{topic}.subscription.reliability:=reliable")
]


def write(path, entries):
    """A bag of (bag time, topic, message)."""
    with BagWriter(path) as writer:
        for time_ns, topic, message in entries:
            if not writer.has_topic(topic):
                writer.add_topic(topic, message.__msgtype__)
            writer.write(topic, time_ns, serialize(message))
    return path


def test_a_process_that_dies_is_reported_with_its_last_words(tmp_path):
    with ProcessGroup(tmp_path, os.environ) as group:
        group.start("stayer", [sys.executable, "-c", "import time; time.sleep(600)"])
        group.start("leaver", [sys.executable, "-c", "print('the engine is gone'); raise SystemExit(3)"])
        with pytest.raises(ProcessDiedError, match=r"(?s)leaver to run, but it ended with 3.*the engine is gone"):
            group.wait(lambda: False, HANGS_S, "nothing")
    assert group.processes["stayer"].exit_code is not None, "the others are stopped too"


def test_a_process_that_ignores_sigint_is_ended_by_sigterm(tmp_path, monkeypatch):
    monkeypatch.setattr("depth_replay.live.processes._STOP_STEPS", ((2, 0.5), (15, HANGS_S), (9, HANGS_S)))
    code = "import signal,time; signal.signal(2, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    with ProcessGroup(tmp_path, os.environ) as group:
        deaf = group.start("deaf", [sys.executable, "-c", code])
        group.wait(lambda: "up" in deaf.tail(), HANGS_S, "a start")
    assert deaf.exit_code == -15


def test_a_wait_that_takes_too_long_shows_the_logs(tmp_path):
    with ProcessGroup(tmp_path, os.environ) as group:
        slow = group.start("slow", [sys.executable, "-c", "print('loading', flush=True); import time; time.sleep(600)"])
        group.wait(lambda: "loading" in slow.tail(), HANGS_S, "a start")
        with pytest.raises(TimeoutError, match=r"(?s)an active node within 0.2 s.*loading"):
            group.wait(lambda: False, 0.2, "an active node")


def test_the_report_counts_answered_frames_and_measures_from_sending_to_receipt():
    sent = {
        "rate_hz": 5.0,
        "frames": [{"stamp_ns": s, "loop": 0, "sent_ns": 1_000_000_000 * (i + 1)} for i, s in enumerate(STAMPS)],
    }
    recorded = Recorded(
        received_ns={STAMPS[0]: 1_080_000_000, STAMPS[2]: 3_120_000_000},
        stages={STAMPS[0]: {"infer": 60.0, "total": 70.0}, STAMPS[2]: {"infer": 80.0, "total": 100.0}},
        diagnostics={"dropped: superseded": "1", "dropped: other": "0", "unpaired: left": "x", "state": "active"},
    )
    report = build_report(sent, recorded, Score(), {"model": "m"})
    frames = report["frames"]
    assert (frames["sent"], frames["answered"], frames["dropped"]) == (3, 2, 1)
    assert frames["unanswered_stamps_ns"] == [STAMPS[1]]
    assert frames["causes"] == {"dropped: superseded": 1}
    assert report["end_to_end_latency_ms"]["p50"] == pytest.approx(100.0)
    assert report["node_latency_ms"]["infer"]["p95"] == pytest.approx(79.0)
    text = report_text(report)
    assert "3 sent / 2 answered / 1 dropped" in text
    assert "no ground truth" in text


def test_causes_add_up_to_the_frames_that_were_lost():
    """camera_info that came once, a left image that was lost, and one pair that waited too long for its turn."""
    diagnostics = {
        "received: left/image_rect": "11",
        "unpaired: left/image_rect": "1",
        "waiting: left/image_rect": "8",
        "unpaired: right/image_rect": "1",
        "left images without left/camera_info": "8",
        "dropped: superseded": "1",
        "dropped: incompatible QoS": "2",
        "frame in work s": "0.0",
    }
    assert frame_causes(diagnostics, 12, 1) == {
        "left image did not reach the node": 1,
        "no left/camera_info for it": 8,
        "found no partner": 1,
        "dropped: superseded": 1,
    }
    assert frame_causes(diagnostics, 12, 0)["not counted by the node, or its disparity was not recorded"] == 1


def test_camera_info_that_comes_once_explains_every_frame_that_was_lost(tmp_path, own_domain):
    probe = pytest.importorskip("depth_export.probe", reason="the network with known predictions is not installed")
    camera = StereoCamera(100.0, 100.0, 47.5, 47.5, 31.5, 0.1, (HEIGHT, WIDTH))
    stamps = [5_000_000_000 + 100_000_000 * i for i in range(12)]
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    infos = zip((topics.LEFT_INFO, topics.RIGHT_INFO), camera_infos(camera, stamps[0], "c"), strict=True)
    images = [
        (s, topic, image_message(pixels, "rgb8", header(s, "c")))
        for s in stamps
        for topic in (topics.LEFT_IMAGE, topics.RIGHT_IMAGE)
    ]
    bag = write(tmp_path / "bag.mcap", [*((stamps[0], *info) for info in infos), *images])
    model, out = str(probe.write_probe(tmp_path / "probe.onnx")), tmp_path / "out"
    assert main(["demo", str(bag), "--out", str(out), "--model", model, "--hz", "5", *RELIABLE]) == 0
    frames = json.loads((out / "report.json").read_text())["frames"]
    assert (frames["sent"], frames["answered"]) == (12, 1)
    # The first image may be lost while DDS still finds its reader; then that is its cause.
    assert sum(frames["causes"].values()) == 11
    assert frames["causes"]["no left/camera_info for it"] >= 10


def test_joined_bags_put_inputs_at_the_time_of_sending_under_their_interface_name(tmp_path):
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    played = write(
        tmp_path / "in.mcap",
        [(s, "/cam0/image/compressed", compress(pixels, "rgb8", "png", header(s, "c"))) for s in STAMPS]
        + [(STAMPS[0], "/imu", TYPES.types["std_msgs/msg/String"](data="not for us"))],
    )
    depth = image_message(np.ones((HEIGHT, WIDTH), np.float32), "32FC1", header(STAMPS[0], "c"))
    recording = write(tmp_path / "rec.mcap", [(1500, topics.DEPTH, depth)])
    sent_ns = {STAMPS[0]: 1000, STAMPS[1]: 2000}
    join_bags(played, recording, sent_ns, {"/cam0/image": topics.LEFT_IMAGE}, tmp_path / "out.mcap")
    found = [(m.topic, m.time_ns, header_stamp_ns(m.data)) for m in read_bag(tmp_path / "out.mcap")]
    image = topics.compressed(topics.LEFT_IMAGE)
    assert found == [(image, 1000, STAMPS[0]), (topics.DEPTH, 1500, STAMPS[0]), (image, 2000, STAMPS[1])]


def test_moments_span_the_sequence():
    assert moments(range(80)) == [0, 16, 32, 47, 63, 79]
    assert moments([4, 9]) == [4, 9]


def test_the_contact_sheet_shows_maps_in_columns_and_grey_where_nothing_was_published(tmp_path):
    left = np.full((HEIGHT, WIDTH, 3), (200, 40, 10), np.uint8)
    confidence = np.ones((HEIGHT, WIDTH), np.float32)
    bag = write(
        tmp_path / "out.mcap",
        [
            (s, topic, image_message(array, encoding, header(s, "c")))
            for s in STAMPS
            for topic, array, encoding in (
                (topics.LEFT_IMAGE, left, "rgb8"),
                (topics.CONFIDENCE, confidence, "32FC1"),
            )
        ],
    )
    write_contact_sheet(bag, STAMPS, tmp_path / "sheet.png")
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    column = sheet.shape[1] // 5
    middle = 36 + 100  # below the titles, inside the first row
    centres = [sheet[middle, column * i + column // 2].tolist() for i in range(5)]
    assert centres == [[10, 40, 200], [128] * 3, [128] * 3, [255] * 3, [128] * 3]


def test_a_bag_without_the_four_inputs_names_what_it_has(tmp_path):
    bag = write(
        tmp_path / "b.mcap", [(1, "/cam0/image", image_message(np.zeros((4, 6), np.uint8), "mono8", header(1, "")))]
    )
    with pytest.raises(BagError, match=r"'/right/image_rect'.*'/cam0/image'.*--remap"):
        input_topics(bag, {})


def test_the_score_takes_the_baseline_that_the_node_was_given():
    assert baseline_rule(["max_depth_m:=9.0"]) == BaselineRule()
    assert baseline_rule(["baseline_m:=0.12", "max_baseline_m:=60.0"]) == BaselineRule(0.12, high_m=60.0)


def test_both_names_of_the_profile_are_set_and_a_given_one_is_kept():
    fresh: dict[str, str] = {}
    profile = use_profile(fresh)
    assert profile.endswith("fastdds.xml")
    assert [fresh[name] for name in VARIABLES] == [profile, profile]
    given = {VARIABLES[1]: "/etc/mine.xml"}
    assert use_profile(given) == "/etc/mine.xml"
    assert set(given.values()) == {"/etc/mine.xml"}


def test_the_demo_answers_every_frame_and_scores_known_predictions(tmp_path, sequences, own_domain, capsys):
    pytest.importorskip("onnxruntime")
    probe = pytest.importorskip("depth_export.probe", reason="the network with known predictions is not installed")
    source = sequences.plain(tmp_path / "source", count=6)
    calibration = {**sequences.PLAIN, "width": WIDTH, "height": HEIGHT}
    (source / "calibration.json").write_text(json.dumps(calibration))
    for i in range(6):
        left = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        left[..., 2] = 40 + 2 * i  # the probe predicts red / 2 as disparity
        for name, image in (("left", left), ("right", left + 1)):
            sequences.save(source / name / f"{i:06d}.png", image)
        truth = np.full((HEIGHT, WIDTH), (20 + i) * 256 + 128, np.uint16)  # half a pixel more
        sequences.save(source / "disparity" / f"{i:06d}.png", truth)
        sequences.save(source / "semantic" / f"{i:06d}.png", np.zeros((HEIGHT, WIDTH), np.uint8))
        sequences.save(source / "instance" / f"{i:06d}.png", np.zeros((HEIGHT, WIDTH), np.uint16))
    bag, out = tmp_path / "bag", tmp_path / "out"
    assert main(["images-to-bag", str(source), "--out", str(bag), "--compress", "png"]) == 0
    model = str(probe.write_probe(tmp_path / "probe.onnx"))
    assert main(["demo", str(bag), "--out", str(out), "--model", model, "--hz", "1", *RELIABLE]) == 0
    report = json.loads((out / "report.json").read_text())
    frames = report["frames"]
    assert frames["sent"] == 6
    answered = frames["answered"]
    assert answered >= 1, "a busy machine may drop frames; what is dropped is counted"
    assert answered + frames["dropped"] == 6
    assert sum(frames["causes"].values()) == frames["dropped"]
    assert report["accuracy"]["disparity"]["epe"] == pytest.approx(0.5, abs=1e-3)
    assert report["accuracy"]["semantic"]["miou"] == pytest.approx(100.0)
    assert report["node_latency_ms"]["total"]["p50"] > 0
    found = bag_topics(out / "outputs.mcap")
    assert found[topics.DISPARITY].count == answered
    assert found[topics.compressed(topics.LEFT_IMAGE)].count == 6
    assert found[topics.compressed(topics.TRUTH_DISPARITY)].count == 6
    assert topics.POINTS not in found
    assert cv2.imread(str(out / "contact_sheet.png")) is not None
    assert sorted(p.name for p in out.iterdir()) == ["contact_sheet.png", "logs", "outputs.mcap", "report.json"]
    assert f"6 sent / {answered} answered / {6 - answered} dropped" in capsys.readouterr().out


def test_a_node_that_cannot_start_ends_the_demo_with_its_log(tmp_path, sequences, own_domain, capsys):
    source = sequences.plain(tmp_path / "source", count=2)
    assert main(["images-to-bag", str(source), "--out", str(tmp_path / "bag")]) == 0
    arguments = ["--out", str(tmp_path / "out"), "--model", str(tmp_path / "missing.onnx"), "--hz", "5"]
    assert main(["demo", str(tmp_path / "bag"), *arguments]) == 1
    error = capsys.readouterr().err
    assert "stereo_node" in error
    assert "missing.onnx" in error
