# SPDX-License-Identifier: Apache-2.0
"""File formats: portable float maps, scaled PNG, calibration texts, occlusion from two true maps."""

import cv2
import numpy as np
import pytest
from depth_runtime.camera import Camera
from depth_runtime.files.disparity_png import read_disparity
from depth_runtime.files.images import read_rgb
from depth_runtime.files.kitti_calibration import matrix, read_numbers
from depth_training.data.calibration import middlebury_pair, stereo_pair
from depth_training.data.indexed_png import read_indices
from depth_training.data.label_maps import CAMVID, CITYSCAPES, VIRTUAL_KITTI, by_colour, by_id
from depth_training.data.occlusion import occluded_by_check
from depth_training.data.pfm import read_pfm, read_pfm_disparity
from tiny_files import picture, write_image, write_indexed_png, write_pfm, write_text

VALUES = np.array([[1.5, -2.25, np.inf], [4, 5, 6]], np.float32)


@pytest.mark.parametrize("little", [True, False])
def test_pfm_of_both_byte_orders_starts_with_the_top_row(tmp_path, little):
    path = write_pfm(tmp_path / "a.pfm", VALUES, little)
    assert read_pfm(path).tolist() == VALUES.tolist()
    disparity = read_pfm_disparity(path)
    assert disparity[0, :2].tolist() == [1.5, 2.25]
    assert disparity[1].tolist() == [4, 5, 6]
    assert np.isnan(disparity[0, 2])
    colour = np.arange(18, dtype=np.float32).reshape(2, 3, 3)
    assert (read_pfm(write_pfm(tmp_path / "c.pfm", colour, little)) == colour).all()


def test_broken_pfm_names_itself(tmp_path):
    path = write_pfm(tmp_path / "cut.pfm", VALUES)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"expected 24 bytes of 3 x 2 values in .*cut\.pfm, got 23"):
        read_pfm(path)
    with pytest.raises(ValueError, match=r"header of a PFM file in .*text\.pfm"):
        read_pfm(write_text(tmp_path / "text.pfm", "P5 3 2"))
    with pytest.raises(ValueError, match=r"expected the file .*none\.pfm, got none"):
        read_pfm(tmp_path / "none.pfm")


def test_the_scale_of_a_pfm_changes_no_value(tmp_path):
    """Files of Middlebury 2014 say -0.003922 (1 / 255) and mean pixels all the same; OpenCV divides by it."""
    path = write_pfm(tmp_path / "a.pfm", VALUES)
    path.write_bytes(path.read_bytes().replace(b"-1.0", b"-0.003922"))
    assert read_pfm(path).tolist() == VALUES.tolist()


def test_indices_are_those_of_the_file_not_the_colours_of_its_palette(tmp_path):
    indices = np.arange(240, dtype=np.uint8).reshape(12, 20)
    assert read_indices(write_indexed_png(tmp_path / "indexed.png", indices)).tolist() == indices.tolist()
    assert read_indices(write_image(tmp_path / "grey.png", indices)).tolist() == indices.tolist()


def test_indices_of_other_or_broken_files_are_refused(tmp_path):
    for name, pixels in {"colour.png": picture(1), "deep.png": np.zeros((4, 4), np.uint16)}.items():
        with pytest.raises(ValueError, match=rf"expected palette indices or one grey channel of 8 bit in .*{name}"):
            read_indices(write_image(tmp_path / name, pixels))
    path = write_indexed_png(tmp_path / "indexed.png", np.zeros((12, 20), np.uint8))
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match=r"indexed\.png"):
            read_indices(path)
    path.write_bytes(whole.replace(b"IDAT", b"ID\xc1T"))
    with pytest.raises(ValueError, match=r"indexed\.png"):
        read_indices(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_cut_images_name_themselves(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    path = write_image(tmp_path / f"a{suffix}", noise)
    assert read_rgb(path).shape == (40, 60, 3)
    whole = path.read_bytes()
    for length in (len(whole) // 2, len(whole) - 100, 10, 0):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=rf"a\{suffix}"):
            read_rgb(path)


def test_scaled_png_keeps_sixteen_bits(tmp_path):
    path = write_image(tmp_path / "d.png", np.array([[0, 1, 65535], [256, 640, 3]], np.uint16))
    assert read_disparity(path)[:, 1:].tolist() == [[1 / 256, 65535 / 256], [2.5, 3 / 256]]
    assert np.isnan(read_disparity(path)[0, 0])
    assert read_disparity(path, 128.0)[1, 0] == 2
    with pytest.raises(ValueError, match=r"uint16 in .*eight\.png, got uint8"):
        read_disparity(write_image(tmp_path / "eight.png", np.ones((2, 3), np.uint8)))


KITTI_CALIBRATION = """calib_time: 09-Jan-2012 13:57:47
corner_dist: 9.950000e-02
P_rect_02: 7.215377e+02 0 6.095593e+02 4.485728e+01 0 7.215377e+02 1.728540e+02 2.163791e-01 0 0 1 2.745884e-03
P_rect_03: 7.215377e+02 0 6.095593e+02 -3.395242e+02 0 7.215377e+02 1.728540e+02 2.199936e+00 0 0 1 2.729905e-03
"""


def test_kitti_calibration_text(tmp_path):
    path = write_text(tmp_path / "c.txt", KITTI_CALIBRATION)
    numbers = read_numbers(path)
    camera = stereo_pair(*(matrix(numbers, f"P_rect_0{i}", (3, 4), path) for i in (2, 3)), path)
    assert camera.left == Camera(721.5377, 721.5377, 609.5593, 172.854)
    assert camera.baseline_m == pytest.approx((44.85728 + 339.5242) / 721.5377)
    assert camera.disparity_shift_px == 0
    with pytest.raises(ValueError, match=r"'P2:' with 12 numbers in .*c\.txt, got only .*P_rect_02"):
        matrix(numbers, "P2", (3, 4), path)
    bare = write_text(tmp_path / "bare.txt", "1 0 2 0 0 1 3 0 0 0 1 0\n1 0 2 -5 0 1 3 0 0 0 1 0\n")
    assert read_numbers(bare)["P1"][3] == -5


def test_middlebury_calibration_text(tmp_path):
    text = (
        "cam0=[3997.684 0 1176.728; 0 3998.5 1011.728; 0 0 1]\ncam1=[3997.684 0 1307.839; 0 3998.5 1011.728; 0 0 1]\n"
    )
    path = write_text(
        tmp_path / "calib.txt", f"{text}doffs=131.111\nbaseline=193.001\nwidth=2964\nheight=1988\nndisp=280\n"
    )
    camera = middlebury_pair(path)
    assert camera.left == Camera(3997.684, 3998.5, 1176.728, 1011.728, (1988, 2964))
    assert (camera.baseline_m, camera.cx_right) == (pytest.approx(0.193001), 1307.839)
    with pytest.raises(ValueError, match=r"bad\.txt, got KeyError\('doffs'\)"):
        middlebury_pair(write_text(tmp_path / "bad.txt", text))


def test_occlusion_is_what_a_nearer_surface_or_the_border_hides():
    left = np.array([[1, 1, 1, 1, 3, 3, 1, 1], [0, 0, 0, 0, 0, 0, 0, np.nan]], np.float32)
    # The near surface at x 4..5 lands on x 1..2 of the right view and hides what stands at left x 2..3.
    right = np.array([[1, 3, 3, np.nan, np.nan, 1, 1, 1], [0] * 8], np.float32)
    occluded = occluded_by_check(left, right)
    assert occluded[0].tolist() == [True, False, True, True, False, False, False, False]
    assert not occluded[1].any()


def test_classes_of_other_sets_become_ours():
    camvid = np.array([[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]], np.uint8)
    assert by_id(camvid, CAMVID).tolist() == [[7, 2, 3, 0, 1, 4], [3, 3, 5, 6, 6, 255]]
    assert by_id(np.array([[12, 255]], np.uint8), CAMVID).tolist() == [[255, 255]]
    # The official labelIds: unlabeled to dynamic, ground to rail track, building to tunnel, pole to rider, vehicles.
    official = [*[255] * 6, *(1, 0, 1, 0, 0), *(2, 2, 3, 3, 2, 2), *(3, 3, 3, 3, 4, 1, 7, 6, 6), *[5] * 8]
    assert by_id(np.arange(34, dtype=np.uint8)[None], CITYSCAPES)[0].tolist() == official
    assert len(CITYSCAPES) == 34
    # Terrain, sky, tree, vegetation, building, road, guard rail, sign, light, pole, misc, truck, car, van.
    colours = [(210, 0, 200), (90, 200, 255), (0, 199, 0), (90, 240, 0), (140, 140, 140), (100, 60, 100)]
    colours += [(250, 100, 255), (255, 255, 0), (200, 200, 0), (255, 130, 0), (80, 80, 80)]
    colours += [(160, 60, 60), (255, 127, 80), (0, 139, 139), (1, 2, 3)]
    ours = by_colour(np.array([colours], np.uint8), VIRTUAL_KITTI)[0].tolist()
    assert ours == [1, 7, 4, 4, 2, 0, 3, 3, 3, 3, 255, 5, 5, 5, 255]


def test_grey_images_get_three_channels(tmp_path):
    path = write_image(tmp_path / "g.png", np.full((4, 5), 9, np.uint8))
    assert cv2.imread(str(path), cv2.IMREAD_UNCHANGED).ndim == 2
    assert read_rgb(path).shape == (4, 5, 3)
    assert read_rgb(write_image(tmp_path / "c.png", picture(200)))[0, 0].tolist() == [200, 2, 3]
