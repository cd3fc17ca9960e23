# SPDX-License-Identifier: Apache-2.0
"""The plain sequence folder: what is written is read, and what is wrong is named."""

import json

import numpy as np
import pytest
from depth_runtime.camera import CalibrationError, StereoCamera
from depth_runtime.files.disparity_png import read_disparity
from depth_runtime.files.images import read_rgb
from depth_runtime.files.sequence_folder import (
    TrueFrame,
    read_calibration,
    read_frames,
    read_labels,
    read_stamps,
    write_frame,
    write_header,
)
from depth_runtime.spec import Label

CAMERA = StereoCamera(10.0, 11.0, 3.5, 1.0, 2.5, 0.4, (6, 8))


@pytest.fixture
def folder(tmp_path):
    """Frames 0 and 1; the red of left images is the number of the frame, that of right ones 10 more."""
    write_header(tmp_path, CAMERA, [Label(5, "car", (1, 2, 3), True)], [0.0, 0.25])
    zeros = np.zeros((6, 8), np.uint16)
    for index in range(2):
        left = np.zeros((6, 8, 3), np.uint8)
        left[..., 0] = index
        write_frame(tmp_path, index, TrueFrame(left, left + np.uint8(10), zeros + 3.5, zeros, zeros + 700))
    return tmp_path


def test_the_folder_reads_back_as_it_was_written(folder):
    first, second = read_frames(folder)
    assert read_rgb(second.left)[0, 0].tolist() == [1, 0, 0]
    assert read_rgb(first.right)[0, 0].tolist() == [10, 10, 10]
    assert sorted(first.maps) == ["disparity", "instance", "semantic"]
    assert (read_disparity(second.maps["disparity"]) == 3.5).all()
    assert read_calibration(folder) == CAMERA
    assert read_labels(folder)[0]["name"] == "car"
    assert read_stamps(folder / "timestamps.txt", 2) == [0, 250_000_000]


def test_a_map_may_lack_frames_only_where_that_is_meant(folder):
    (folder / "disparity/000001.png").unlink()
    with pytest.raises(ValueError, match=r"expected .*disparity.000001\.png, because the folder disparity/"):
        read_frames(folder)
    assert [sorted(frame.maps) for frame in read_frames(folder, partial=["disparity"])] == [
        ["disparity", "instance", "semantic"],
        ["instance", "semantic"],
    ]


def test_a_calibration_may_not_know_the_size(folder):
    path = folder / "calibration.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({key: values[key] for key in values if key not in ("width", "height")}))
    assert read_calibration(folder).size is None
    path.unlink()
    assert read_calibration(folder) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"baseline_m": -0.4}, r"calibration\.json: .*-0\.4 m.*swapped"),
        ({"baseline_m": float("nan")}, r"calibration\.json: .*finite baseline"),
        ({"fx": "much"}, r"numbers under the keys .*calibration\.json"),
    ],
)
def test_a_wrong_calibration_is_named(folder, change, words):
    path = folder / "calibration.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=words):
        read_calibration(folder)
    assert issubclass(CalibrationError, ValueError)


def test_times_in_whole_nanoseconds_are_exact(tmp_path):
    """EuRoC's own stamps; as float seconds they would lose their last digits."""
    path = tmp_path / "timestamps.txt"
    path.write_text("1403636579763555584\n1403636579813555456\n")
    assert read_stamps(path, 2) == [1403636579763555584, 1403636579813555456]
    path.write_text("1403636579.763555584\n1403636579.813555456\n")
    assert read_stamps(path, 2) == [1403636579763555584, 1403636579813555456]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1403636579763\n1403636579813\n", r"seconds .*timestamps\.txt, got 1403636579813: .*milliseconds"),
        ("0.5\n1403636579813555456\n", r"got 1403636579813555456"),
        ("soon\nlater\n", r"timestamps\.txt, got a line that is no number"),
        ("nan\nnan\n", r"timestamps\.txt, got a line that is no number"),
        ("1\n", r"2 times in .*timestamps\.txt, one per image pair, got 1"),
        ("", r"2 times in .*timestamps\.txt, one per image pair, got 0"),
        ("2\n1\n", r"growing times in .*timestamps\.txt"),
    ],
)
def test_other_units_and_texts_are_refused_with_the_file(tmp_path, text, words):
    path = tmp_path / "timestamps.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        read_stamps(path, 2)


def test_a_disparity_beyond_sixteen_bits_is_not_written(folder):
    zeros = np.zeros((6, 8), np.uint16)
    frame = TrueFrame(*np.zeros((2, 6, 8, 3), np.uint8), zeros + 256.0, zeros, zeros)
    with pytest.raises(ValueError, match=r"0\.\.256 px, got 256\.0"):
        write_frame(folder, 2, frame)
