# SPDX-License-Identifier: Apache-2.0
"""The schema, the registry, plain folders and lists of pairs."""

import json

import cv2
import numpy as np
import pytest
from depth_runtime.camera import StereoCamera
from depth_training.data import DATASETS, Sample, make_dataset

LEFT = np.full((6, 8, 3), (200, 100, 50), np.uint8)  # RGB


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels[..., ::-1] if pixels.ndim == 3 else pixels)


@pytest.fixture
def folder(tmp_path):
    """A street of three frames, 8 x 6 pixels, with disparity 12.5 px (one pixel unknown) and labels."""
    root = tmp_path / "street"
    for index in range(3):
        name = f"{index:06d}.png"
        write(root / "left" / name, LEFT + np.uint8(index))
        write(root / "right" / name, LEFT)
        disparity = np.full((6, 8), 3200, np.uint16)
        disparity[1, 2] = 0
        write(root / "disparity" / name, disparity)
        write(root / "semantic" / name, np.full((6, 8), 5, np.uint8))
        write(root / "instance" / name, np.full((6, 8), 700, np.uint16))
        write(root / "regions" / name, LEFT - np.uint8(40))
    numbers = {"width": 8, "height": 6, "fx": 10.0, "fy": 11.0, "cx_left": 3.5, "cy": 2.5, "cx_right": 1.0}
    (root / "calibration.json").write_text(json.dumps(numbers | {"baseline_m": 0.4}))
    return root


def test_a_plain_folder_gives_all_that_it_has(folder):
    frames = make_dataset("plain", folder)
    assert len(frames) == 3
    sample = frames[1]
    assert sample.name == "street/000001"
    assert sample.left[0, 0].tolist() == [201, 101, 51]
    assert sample.right[0, 0].tolist() == [200, 100, 50]
    assert sample.disparity_px[0, 0] == 12.5
    assert np.isnan(sample.disparity_px[1, 2])
    assert (sample.semantic[0, 0], sample.instance[0, 0]) == (5, 700)
    assert sample.regions[0, 0].tolist() == [160, 60, 10]
    assert sample.camera == StereoCamera(10, 11, 3.5, 1.0, 2.5, 0.4, (6, 8))
    depth_m = sample.true_depth_m()  # 10 * 0.4 / (12.5 - 2.5)
    assert depth_m[0, 0] == pytest.approx(0.4)
    assert np.isnan(depth_m[1, 2])


def test_region_images_may_still_be_missing(folder):
    (folder / "regions/000001.png").unlink()
    frames = make_dataset("plain", folder)
    assert frames[1].regions is None
    assert frames[2].regions is not None


def test_classes_of_a_folder_become_ours_by_name(folder, caplog):
    path = folder / "labels.json"
    path.write_text(json.dumps([{"id": 5, "name": "sky"}, {"id": 3, "name": "lamp"}]))
    write(folder / "semantic/000001.png", np.array([[5, 3, 0, 255, 5, 5, 5, 5]] * 6, np.uint8))
    assert make_dataset("plain", folder)[1].semantic[0].tolist() == [7, 255, 255, 255, 7, 7, 7, 7]
    assert "unlabelled: ['lamp']" in caplog.text
    for text in ("[1]", '[{"id": 300, "name": "sky"}]', '[{"id": -1, "name": "sky"}]'):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"id 0\.\.255 and name in .*labels\.json"):
            make_dataset("plain", folder)
    path.write_text("{")
    with pytest.raises(ValueError, match=r"expected JSON in .*labels\.json"):
        make_dataset("plain", folder)


def test_neighbours_are_previous_and_next(folder):
    frames = make_dataset("plain", folder.parent, neighbours=True)
    assert len(frames) == 1
    assert [image[0, 0, 0] for image in (frames[0].left, *frames[0].neighbours)] == [201, 200, 202]


def test_a_folder_of_left_images_is_a_mono_set(tmp_path):
    write(tmp_path / "left/a.png", LEFT)
    sample = make_dataset("plain", tmp_path)[0]
    assert (sample.right, sample.disparity_px, sample.true_depth_m()) == (None, None, None)


def test_missing_and_cut_files_name_themselves(folder):
    for name in ("right", "semantic"):
        content = (folder / name / "000001.png").read_bytes()
        (folder / name / "000001.png").unlink()
        with pytest.raises(ValueError, match=rf"000001.*{name}"):
            make_dataset("plain", folder)
        (folder / name / "000001.png").write_bytes(content)
    for name in ("left", "disparity"):
        path = folder / name / "000002.png"
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(ValueError, match=f"{name}/000002.png"):
            make_dataset("plain", folder)[2]
        write(path, LEFT)
    with pytest.raises(ValueError, match=r"one channel of uint16 in .*disparity/000002.png"):
        make_dataset("plain", folder)[2]
    (folder / "calibration.json").write_text('{"fx": 3}')
    with pytest.raises(ValueError, match=r"'cy', 'baseline_m'\] in .*calibration.json, got \['fx'\]"):
        make_dataset("plain", folder)


def test_a_calibration_of_another_size_is_refused(folder):
    """Its focal length would make every depth wrong by the ratio of the sizes."""
    path = folder / "calibration.json"
    numbers = json.loads(path.read_text())
    path.write_text(json.dumps(numbers | {"width": 16, "height": 12}))
    with pytest.raises(ValueError, match=r"of 8x6 images in 'street/000001', got one of 16x12"):
        make_dataset("plain", folder)[1]


def test_files_that_are_no_images_and_upper_case_suffixes_do_no_harm(folder):
    for name in (".DS_Store", "Thumbs.db", "._000001.png", "notes.txt"):
        (folder / "left" / name).write_bytes(b"nothing")
    (folder / "right/000001.png").rename(folder / "right/000001.PNG")
    frames = make_dataset("plain", folder)
    assert len(frames) == 3
    assert frames[1].right is not None


def test_listed_pairs_are_chosen_by_data_set(folder):
    path = folder / "pairs.csv"
    rows = [f"{name},x,left/000000.png,right/000000.png,disparity/000000.png" for name in ("a", "b", "b")]
    path.write_text("\n".join(["dataset,id,left,right,disparity", *rows]))
    assert len(make_dataset("csv", path)) == 3
    pairs = make_dataset("csv", path, split="b")
    assert len(pairs) == 2
    assert pairs[0].name == "b/x"
    assert np.isnan(pairs[0].disparity_px).sum() == 1
    assert pairs[0].true_depth_m() is None
    with pytest.raises(ValueError, match=r"\['all', 'a', 'b'\], got 'c'"):
        make_dataset("csv", path, split="c")
    path.write_text("dataset,id,left,right\na,b,c,d")
    with pytest.raises(ValueError, match=r"pairs\.csv, got none of \['disparity'\]"):
        make_dataset("csv", path)


def test_a_list_may_tell_the_camera(folder):
    path = folder / "pairs.csv"
    row = "a,x,left/000000.png,right/000000.png,disparity/000000.png"
    columns = "dataset,id,left,right,disparity,focal_px,baseline_m,disparity_shift_px"
    path.write_text(f"{columns}\n{row},700,0.5,-1.5\n{row},700,,\n{row},much,0.5,\n")
    pairs = make_dataset("csv", path)
    assert pairs[0].true_depth_m()[0, 0] == pytest.approx(700 * 0.5 / 14)
    assert pairs[0].camera == StereoCamera(700, 700, 3.5, 5.0, 2.5, 0.5, (6, 8))
    assert pairs[1].camera is None
    with pytest.raises(ValueError, match=r"camera of 'x' in .*pairs\.csv: .*'much'"):
        _ = pairs[2]


def test_a_miss_lists_what_exists(folder):
    with pytest.raises(ValueError, match=r"'csv'.*'plain'.* got 'kitty'"):
        make_dataset("kitty", folder)
    with pytest.raises(ValueError, match=r"\['stereo', 'neighbours'\], got \['neighbors'\]"):
        make_dataset("plain", folder, neighbors=True)
    assert "plain" in DATASETS


def test_a_sample_off_the_schema_is_refused():
    with pytest.raises(ValueError, match=r"disparity_px float32 \[6, 8\] like left, got float32 \[6, 7\] in 'x'"):
        Sample(LEFT, disparity_px=np.zeros((6, 7), np.float32), name="x")
    with pytest.raises(ValueError, match=r"right uint8 \[6, 8, 3\] like left, got float32"):
        Sample(LEFT, right=LEFT.astype(np.float32))


@pytest.mark.parametrize(
    ("row", "got"), [("a,1,l.png,r.png", 4), ("a,1,l.png,r.png,d.png,x", 6)], ids=["short", "long"]
)
def test_a_row_with_other_than_its_columns_is_named(tmp_path, row, got):
    path = tmp_path / "pairs.csv"
    path.write_text(f"dataset,id,left,right,disparity\na,0,l.png,r.png,d.png\n{row}\n\n")
    with pytest.raises(ValueError, match=rf"expected 5 values in line 3 of .*pairs\.csv .*got {got}; complete the row"):
        make_dataset("csv", path)
