# SPDX-License-Identifier: Apache-2.0
"""images-to-bag: every layout, exact pixels and calibration, errors that name the file."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from depth_replay.bags.bag import bag_topics, read_bag
from depth_replay.cli import main
from depth_replay.layouts import LayoutError, read_sequence
from depth_replay.messages import topics
from depth_replay.messages.definitions import deserialize
from depth_replay.messages.image_codec import decompress, image_array

SECOND = 1_000_000_000
EPOCH = 1_700_000_000 * SECOND


def messages(bag, topic):
    """Deserialised messages of one topic with their bag times."""
    return [(m.time_ns, deserialize(m.data, m.msgtype)) for m in read_bag(bag, {topic})]


def stamp_ns(message):
    return message.header.stamp.sec * SECOND + message.header.stamp.nanosec


@pytest.mark.parametrize("out", ["bag", "bag.mcap", "bag.db3"])
def test_raw_images_come_back_exactly_with_one_stamp_for_all_topics(tmp_path, sequences, out):
    source = sequences.plain(tmp_path / "source")
    bag = tmp_path / out
    assert main(["images-to-bag", str(source), "--out", str(bag), "--compress", "none"]) == 0
    for topic, seed in ((topics.LEFT_IMAGE, 0), (topics.RIGHT_IMAGE, 1)):
        found = messages(bag, topic)
        assert [time for time, _ in found] == [EPOCH, EPOCH + SECOND // 10, EPOCH + SECOND // 5]
        for i, (time_ns, image) in enumerate(found):
            assert stamp_ns(image) == time_ns
            assert (image.encoding, image.height, image.width, image.step) == ("rgb8", 24, 40, 120)
            expected = cv2.cvtColor(sequences.picture(2 * i + seed), cv2.COLOR_BGR2RGB)
            np.testing.assert_array_equal(image_array(image), expected)
    assert [t for t, _ in messages(bag, topics.RIGHT_INFO)] == [t for t, _ in messages(bag, topics.LEFT_IMAGE)]


def test_the_sqlite_storage_of_a_folder_is_a_db3_file_with_metadata(tmp_path, sequences):
    source = sequences.plain(tmp_path / "source")
    assert main(["images-to-bag", str(source), "--out", str(tmp_path / "bag"), "--storage", "sqlite3"]) == 0
    assert {p.suffix for p in (tmp_path / "bag").iterdir()} == {".db3", ".yaml"}
    assert bag_topics(tmp_path / "bag")[topics.LEFT_INFO].count == 3


def test_camera_infos_hold_the_calibration_with_the_baseline_on_the_right(tmp_path, sequences):
    source = sequences.plain(tmp_path / "source")
    assert main(["images-to-bag", str(source), "--out", str(tmp_path / "bag"), "--frame-id", "cam"]) == 0
    (_, left), *_ = messages(tmp_path / "bag", topics.LEFT_INFO)
    (_, right), *_ = messages(tmp_path / "bag", topics.RIGHT_INFO)
    assert left.header.frame_id == right.header.frame_id == "cam"
    assert (left.width, left.height, left.distortion_model) == (40, 24, "plumb_bob")
    np.testing.assert_array_equal(left.p, [51.5, 0, 19.5, 0, 0, 49.25, 11.125, 0, 0, 0, 1, 0])
    np.testing.assert_allclose(right.p, [51.5, 0, 22.25, -51.5 * 0.375, 0, 49.25, 11.125, 0, 0, 0, 1, 0])
    np.testing.assert_array_equal(right.k, [51.5, 0, 22.25, 0, 49.25, 11.125, 0, 0, 1])
    np.testing.assert_array_equal(left.r, np.eye(3).ravel())
    np.testing.assert_array_equal(left.d, np.zeros(5))


def test_png_truth_is_exact_and_labels_are_latched(tmp_path, sequences):
    source = sequences.plain(tmp_path / "source")
    bag = tmp_path / "bag"
    assert main(["images-to-bag", str(source), "--out", str(bag), "--compress", "png"]) == 0
    found = messages(bag, topics.compressed(topics.TRUTH_DISPARITY))
    for i, (_, message) in enumerate(found):
        assert message.format == "16UC1; png compressed "
        np.testing.assert_array_equal(decompress(message)[0], sequences.disparity(i))
    _, ids = messages(bag, topics.compressed(topics.TRUTH_SEMANTIC))[1]
    np.testing.assert_array_equal(decompress(ids)[0], sequences.semantic(1))
    _, instance = messages(bag, topics.compressed(topics.TRUTH_INSTANCE))[2]
    pixels, encoding = decompress(instance)
    assert encoding == "mono16"
    assert set(np.unique(pixels)) == {0, 302}
    ((_, labels),) = messages(bag, topics.TRUTH_LABELS)
    assert json.loads(labels.data) == sequences.LABELS
    assert bag_topics(bag)[topics.TRUTH_LABELS].latched
    assert not bag_topics(bag)[topics.LEFT_INFO].latched


def test_raw_truth_is_a_disparity_image_shifted_by_the_principal_points(tmp_path, sequences):
    source = sequences.plain(tmp_path / "source")
    assert main(["images-to-bag", str(source), "--out", str(tmp_path / "bag"), "--truth", "raw"]) == 0
    _, message = messages(tmp_path / "bag", topics.TRUTH_DISPARITY)[0]
    stored = sequences.disparity(0)
    expected = np.where(stored > 0, stored / 256 - (19.5 - 22.25), np.nan)
    np.testing.assert_array_equal(image_array(message.image), expected.astype(np.float32))
    assert (message.f, message.t, message.delta_d) == (51.5, 0.375, 1 / 256)
    window = message.valid_window
    assert (window.x_offset, window.y_offset, window.width, window.height) == (0, 0, 40, 24)
    assert message.min_disparity == pytest.approx(np.nanmin(expected))
    assert message.max_disparity == pytest.approx(np.nanmax(expected))
    assert stamp_ns(message) == EPOCH


def test_coarse_truth_is_within_half_a_step_and_never_turns_into_no_truth(tmp_path, sequences):
    source = sequences.plain(tmp_path / "source")
    assert main(["images-to-bag", str(source), "--out", str(tmp_path / "bag"), "--truth-steps-per-px", "64"]) == 0
    _, message = messages(tmp_path / "bag", topics.compressed(topics.TRUTH_DISPARITY))[0]
    coarse, stored = decompress(message)[0].astype(int), sequences.disparity(0).astype(int)
    assert (coarse % 4 == 0).all()
    np.testing.assert_array_equal(coarse > 0, stored > 0)
    assert np.abs(coarse - stored)[stored > 2].max() <= 2


def test_jpeg_keeps_colours_in_rgb_order_after_decoding(tmp_path, sequences):
    source = sequences.plain(tmp_path / "source", count=1)
    for side in ("left", "right"):
        sequences.save(source / side / "000000.png", np.full((24, 40, 3), (30, 90, 200), np.uint8))  # BGR
    assert main(["images-to-bag", str(source), "--out", str(tmp_path / "bag"), "--quality", "95"]) == 0
    (_, message), *_ = messages(tmp_path / "bag", topics.compressed(topics.LEFT_IMAGE))
    assert message.format == "rgb8; jpeg compressed bgr8"
    pixels, encoding = decompress(message)
    assert encoding == "rgb8"
    np.testing.assert_allclose(pixels[12, 20], (200, 90, 30), atol=4)


def test_kitti_raw_has_its_own_times_and_the_baseline_between_cameras_2_and_3(tmp_path, sequences):
    sequence = read_sequence(sequences.kitti_raw(tmp_path))
    assert sequence.layout == "kitti-raw"
    assert [f.stamp_ns for f in sequence.frames] == [1317042145964389445, 1317042146067000000]
    calibration = sequence.frames[0].camera
    assert (calibration.fx, calibration.fy) == (721.5377, 731.0)
    assert (calibration.cx_left, calibration.cx_right, calibration.cy) == (609.5593, 609.5593, 172.854)
    assert calibration.baseline_m == pytest.approx(sequences.KITTI_BASELINE_M, rel=1e-6)


def test_kitti_odometry_takes_times_from_times_txt_and_grey_images_stay_grey(tmp_path, sequences):
    source = sequences.kitti_odometry(tmp_path / "00")
    sequence = read_sequence(source)
    assert sequence.layout == "kitti-odometry"
    assert [f.stamp_ns - EPOCH for f in sequence.frames] == [0, 103735900]
    assert sequence.frames[0].camera.baseline_m == pytest.approx(386.1448 / 718.856)
    assert main(["images-to-bag", str(source), "--out", str(tmp_path / "bag"), "--compress", "png"]) == 0
    _, message = messages(tmp_path / "bag", topics.compressed(topics.RIGHT_IMAGE))[1]
    assert message.format == "mono8; png compressed "
    np.testing.assert_array_equal(decompress(message)[0], sequences.picture(3, (24, 40)))


def test_kitti_stereo_takes_frames_10_with_their_sparse_truth(tmp_path, sequences):
    sequence = read_sequence(sequences.kitti_stereo(tmp_path))
    assert sequence.layout == "kitti-stereo"
    (frame,) = sequence.frames
    assert frame.left.name == "000000_10.png"
    assert frame.disparity.parent.name == "disp_occ_0"
    assert frame.camera.baseline_m == pytest.approx(sequences.KITTI_BASELINE_M, rel=1e-6)


def test_kitti_stereo_2012_has_its_own_names_for_the_same_things(tmp_path, sequences):
    training = tmp_path / "training"
    sequences.pairs(training / "colored_0", training / "colored_1", ["000003_10.png"])
    sequences.save(training / "disp_occ" / "000003_10.png", sequences.disparity(3))
    (training / "calib").mkdir()
    (training / "calib" / "000003.txt").write_text(f"P2: {sequences.P_RECT_02}\nP3: {sequences.P_RECT_03}\n")
    (frame,) = read_sequence(tmp_path).frames
    assert (frame.right.parent.name, frame.disparity.parent.name) == ("colored_1", "disp_occ")
    assert frame.camera.baseline_m == pytest.approx(sequences.KITTI_BASELINE_M, rel=1e-6)


def test_16_bit_grey_images_are_never_cut_to_8_bits(tmp_path, sequences):
    source = sequences.kitti_odometry(tmp_path / "00")
    deep = np.arange(24 * 40, dtype=np.uint16).reshape(24, 40) * 61
    for side in ("image_0", "image_1"):
        for name in ("000000.png", "000001.png"):
            sequences.save(source / side / name, deep)
    assert main(["images-to-bag", str(source), "--out", str(tmp_path / "bag")]) == 0
    _, message = messages(tmp_path / "bag", topics.compressed(topics.LEFT_IMAGE))[0]
    assert message.format == "mono16; png compressed "
    np.testing.assert_array_equal(decompress(message)[0], deep)


def test_karlsruhe_uses_the_matrices_of_the_cropped_images(tmp_path, sequences):
    sequence = read_sequence(sequences.karlsruhe(tmp_path))
    assert sequence.layout == "karlsruhe"
    calibration = sequence.frames[0].camera
    assert (calibration.cx_left, calibration.cy, calibration.fy) == (635.95, 194.12, 650.5)
    assert calibration.baseline_m == pytest.approx(368.2632 / 645.24)


def test_a_rate_replaces_the_recorded_times(tmp_path, sequences):
    sequence = read_sequence(sequences.kitti_raw(tmp_path), rate_hz=25.0)
    assert [f.stamp_ns - EPOCH for f in sequence.frames] == [0, 40_000_000]


def test_a_missing_right_image_is_named(tmp_path, sequences):
    source = sequences.plain(tmp_path)
    (source / "right" / "000001.png").unlink()
    with pytest.raises(ValueError, match=r"image named 000001 in .*right to match .*left.000001.png"):
        read_sequence(source)


def test_a_size_change_names_the_file_and_both_sizes(tmp_path, sequences, capsys):
    source = sequences.plain(tmp_path / "source")
    sequences.save(source / "right" / "000002.png", np.zeros((24, 44, 3), np.uint8))
    assert main(["images-to-bag", str(source), "--out", str(tmp_path / "bag")]) == 1
    error = capsys.readouterr().err
    assert "000002.png" in error
    assert "40x24" in error
    assert "44x24" in error
    assert not (tmp_path / "bag").exists()


@pytest.mark.parametrize(
    ("layout", "file", "words"),
    [
        ("plain", "calibration.json", "baseline_m"),
        ("kitti_odometry", "calib.txt", "calib.txt"),
        ("kitti_stereo", "training/calib_cam_to_cam/000000.txt", "000000.txt"),
    ],
)
def test_a_missing_calibration_is_named(tmp_path, sequences, layout, file, words):
    source = getattr(sequences, layout)(tmp_path)
    (source / file).unlink()
    with pytest.raises(ValueError, match=words):
        read_sequence(source, layout.replace("_", "-"))


def test_swapped_cameras_are_refused(tmp_path, sequences):
    source = sequences.kitti_odometry(tmp_path)
    text = (source / "calib.txt").read_text().replace("-386.1448", "386.1448")
    (source / "calib.txt").write_text(text)
    with pytest.raises(ValueError, match=r"calib.txt.*left and right are swapped"):
        read_sequence(source)


def test_a_folder_of_no_known_layout_lists_the_layouts(tmp_path):
    with pytest.raises(LayoutError, match=r"kitti-raw: .*karlsruhe: .*plain: "):
        read_sequence(tmp_path)


def test_a_bag_is_not_overwritten_unasked(tmp_path, sequences, capsys):
    source = sequences.plain(tmp_path / "source", count=1)
    bag = tmp_path / "bag.mcap"
    assert main(["images-to-bag", str(source), "--out", str(bag)]) == 0
    before = bag.read_bytes()
    assert main(["images-to-bag", str(source), "--out", str(bag)]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert bag.read_bytes() == before
    assert main(["images-to-bag", str(source), "--out", str(bag), "--overwrite"]) == 0
