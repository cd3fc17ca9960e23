# SPDX-License-Identifier: Apache-2.0
"""Which files are images, in which order and pairs, and what is read and written of them."""

import os

import cv2
import numpy as np
import pytest
from depth_runtime.files.atomic import replacing, write_whole
from depth_runtime.files.disparity_png import MAX_PX, read_disparity, stored, write_disparity
from depth_runtime.files.images import image_named, images_below, images_in, paired_by_name, read_rgb, write_png

PIXELS = np.full((4, 6, 3), (200, 100, 50), np.uint8)  # RGB
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".pgm", ".ppm", ".webp")


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = path.suffix.lower() == ".pgm"
    path.write_bytes(cv2.imencode(path.suffix.lower(), PIXELS[..., 0] if grey else PIXELS[..., ::-1])[1].tobytes())
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_every_format_is_read_in_upper_and_lower_case(tmp_path, suffix, change):
    path = put(tmp_path / f"a{change(suffix)}")
    assert images_in(tmp_path) == images_below(tmp_path) == [path]
    assert image_named(tmp_path / "a") == path
    assert read_rgb(path)[1, 2, 0] == pytest.approx(200, abs=3)


def test_what_is_no_image_is_passed_over(tmp_path):
    path = put(tmp_path / "x.png")
    for name in (".DS_Store", "Thumbs.db", "._x.png", "notes.txt", "README"):
        (tmp_path / name).write_bytes(b"nothing")
    (tmp_path / "folder.png").mkdir()
    assert images_in(tmp_path) == images_below(tmp_path) == [path]


def test_numbers_are_ordered_as_numbers(tmp_path):
    names = ["1", "2", "10", "100", "a1_2", "a1_10", "a2_1", "b"]
    for name in reversed(names):
        put(tmp_path / f"{name}.png")
        put(tmp_path / name / "0.png")
    assert [path.stem for path in images_in(tmp_path)] == names
    assert [path.parent.name for path in images_below(tmp_path) if path.parent != tmp_path] == names


def test_two_files_of_one_stem_are_refused(tmp_path):
    put(tmp_path / "7.png")
    put(tmp_path / "7.JPG")
    with pytest.raises(ValueError, match=r"one image of each name, got .*7\.JPG and 7\.png"):
        images_in(tmp_path)


def test_pairs_may_differ_in_suffix_and_none_is_alone(tmp_path):
    left, right = put(tmp_path / "left/2.png"), put(tmp_path / "right/2.TIF")
    assert paired_by_name(tmp_path / "left", tmp_path / "right") == [(left, right)]
    put(tmp_path / "right/3.png")
    with pytest.raises(ValueError, match=r"named 3 in .*left to match .*right.3\.png, got none \(1 missing"):
        paired_by_name(tmp_path / "left", tmp_path / "right")


def test_missing_folders_and_images_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"folder of images at .*none"):
        images_in(tmp_path / "none")
    put(tmp_path / "deeper/1.png")
    with pytest.raises(ValueError, match=r"named \*_10 .*one folder deeper"):
        images_in(tmp_path, "_10")
    with pytest.raises(ValueError, match=r"an image .*2\{"):
        image_named(tmp_path / "deeper/2")


def test_disparity_comes_back_and_what_does_not_fit_is_none(tmp_path):
    values = np.array([[0.0, 1 / 256, MAX_PX], [12.3, np.nan, np.inf], [256.1, -4.0, 0.001]], np.float32)
    write_disparity(tmp_path / "new/d.png", values)
    none = np.nan
    np.testing.assert_array_equal(
        read_disparity(tmp_path / "new/d.png"), [[none, 1 / 256, MAX_PX], [3149 / 256, none, none], [none, none, none]]
    )
    assert stored(values).dtype == np.uint16


def test_colours_stay_in_order_and_sixteen_bits_stay_whole(tmp_path):
    write_png(tmp_path / "c.png", PIXELS)
    assert (read_rgb(tmp_path / "c.png") == PIXELS).all()
    deep = np.array([[0, 1, 65535]], np.uint16)
    write_png(tmp_path / "d.png", deep)
    assert (cv2.imread(str(tmp_path / "d.png"), cv2.IMREAD_UNCHANGED) == deep).all()


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, durable):
    path = tmp_path / "new" / "file.bin"
    write_whole(path, b"first", durable=durable)

    def write_half():
        with replacing(path, durable=durable) as temporary:
            temporary.write_bytes(b"sec")
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        write_half()
    assert path.read_bytes() == b"first"
    assert os.listdir(path.parent) == ["file.bin"]
    write_whole(path, b"second", durable=durable)
    assert path.read_bytes() == b"second"
