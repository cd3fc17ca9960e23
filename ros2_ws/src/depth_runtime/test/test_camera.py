# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from depth_runtime.camera import CalibrationError, Camera, StereoCamera
from depth_runtime.rectification import BaselineRule, doubt_about_rectified

CAMERA = StereoCamera(410.0, 395.0, 83.0, 79.5, 30.25, 0.125)
SIZED = replace(CAMERA, size=(64, 160))


def projection(fx=410.0, fy=395.0, cx=83.0, cy=30.25, tx=0.0):
    return [fx, 0, cx, tx, 0, fy, cy, 0, 0, 0, 1, 0]


def test_camera_reads_the_projection_matrices():
    right = projection(cx=79.5, tx=-410 * 0.125)
    assert StereoCamera.from_projections(projection(), right) == CAMERA
    assert CAMERA.disparity_shift_px == 3.5


def test_baseline_is_the_difference_of_both_tx():
    left = projection(tx=-41.0)
    right = projection(cx=79.5, tx=-41.0 - 410 * 0.125)
    assert StereoCamera.from_projections(left, right).baseline_m == pytest.approx(0.125)


@pytest.mark.parametrize("scale", [(0.5, 0.5), (2.0, 1.5), (0.3, 0.7)])
def test_scaled_camera_projects_a_point_to_the_same_place_of_the_image(scale):
    point = np.array([0.7, -0.3, 4.0])
    u, v = CAMERA.fx * point[0] / point[2] + CAMERA.cx_left, CAMERA.fy * point[1] / point[2] + CAMERA.cy
    small = CAMERA.scaled(scale)
    assert small.fx * point[0] / point[2] + small.cx_left == pytest.approx((u + 0.5) * scale[0] - 0.5)
    assert small.fy * point[1] / point[2] + small.cy == pytest.approx((v + 0.5) * scale[1] - 0.5)
    assert small.disparity_shift_px == pytest.approx(CAMERA.disparity_shift_px * scale[0])


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        (projection(fx=0), projection(tx=-10), "fx 0"),
        (projection(), projection(fy=-1, tx=-10), "fy -1"),
        (projection(), projection(), "baseline > 0 m"),
        (projection(), projection(tx=51.25), "swapped"),
        (projection(cx=np.nan), projection(tx=-10), "finite numbers in P of the left"),
        (projection(), projection(cy=np.inf, tx=-10), "finite numbers in P of the right"),
        (projection(), projection(fx=500, tx=-10), "one focal length"),
        (projection(tx=-47.9), projection(tx=-47.9), r"got 0 m from P\[3\] = -47.9 left and -47.9 right.*baseline_m"),
        (projection(), projection(tx=51.25), r"P\[3\] = 0 left and 51.25 right.*the sign is wrong and it is 0.125 m"),
    ],
)
def test_degenerate_calibration_is_refused(left, right, words):
    with pytest.raises(CalibrationError, match=words):
        StereoCamera.from_projections(left, right)


@pytest.mark.parametrize(("name", "number"), [("fx", 410.0), ("fy", 395.0)])
@pytest.mark.parametrize(("ratio", "fits"), [(0.9991, True), (1.0009, True), (0.9989, False), (1.0011, False)])
def test_one_focal_length_means_within_a_tenth_of_a_per_cent(name, number, ratio, fits):
    right = projection(**{name: number * ratio}, cx=79.5, tx=-51.25)
    if fits:
        assert StereoCamera.from_projections(projection(), right).fx == 410.0
    else:
        with pytest.raises(CalibrationError, match=rf"{name} {number:g} and {number * ratio:g}; .* not rectified"):
            StereoCamera.from_projections(projection(), right)


@pytest.mark.parametrize(
    ("shift_px", "fits"), [(0.49, True), (-0.49, True), (0.51, False), (-0.51, False), (12, False)]
)
def test_aligned_rows_means_within_half_a_pixel(shift_px, fits):
    right = projection(cy=30.25 + shift_px, cx=79.5, tx=-51.25)
    if fits:
        assert StereoCamera.from_projections(projection(), right).cy == 30.25
    else:
        with pytest.raises(CalibrationError, match=rf"cy 30.25 and {30.25 + shift_px:g}; .* not rectified"):
            StereoCamera.from_projections(projection(), right)


def test_cameras_above_each_other_are_refused_and_kittis_are_not():
    left, right = projection(fx=721.5, fy=721.5, tx=44.86), projection(fx=721.5, fy=721.5, tx=-339.5)
    left[7], right[7], left[11], right[11] = 0.2163791, 2.199936, 0.002745884, 0.002729905  # P_rect_02, P_rect_03
    assert StereoCamera.from_projections(left, right).baseline_m == pytest.approx(0.532724, abs=1e-6)
    right[7] = -339.5
    with pytest.raises(CalibrationError, match=r"side by side, got 0\.4\d+ m across the rows from P\[7\] = 0\.21"):
        StereoCamera.from_projections(left, right)


@pytest.mark.parametrize(("index", "number"), [(1, 2.0), (4, 2.0), (8, 83.0), (9, 30.25), (10, 0.0)])
def test_numbers_in_places_where_a_projection_has_none_are_refused(index, number):
    right = projection(tx=-51.25)
    right[index] = number
    with pytest.raises(CalibrationError, match=r"of the right camera, got .* row by row"):
        StereoCamera.from_projections(projection(), right)


@pytest.mark.parametrize(
    ("fx", "tx", "words"),
    [
        (700.0, -42000.0, r"got 60 m from P\[3\] = 0 left and -42000 right with fx 700: millimetres\?.* is 0\.06 m"),
        (916.4, -8205.0, r"got 8\.9535\d* m .*-8205 right with fx 916\.4: centimetres\?.* is 0\.08954 m"),
        (682.0, -0.0819, r"got 0\.000120088 m .*the baseline itself instead of -fx \* baseline\? then it is 0\.0819 m"),
        (700.0, -4200.0, r"got 6 m .*centimetres\?.* is 0\.06 m"),
    ],
)
def test_an_implausible_baseline_is_refused_with_its_unit(fx, tx, words):
    pair = projection(fx=fx), projection(fx=fx, tx=tx)
    with pytest.raises(CalibrationError, match=words) as caught:
        StereoCamera.from_projections(*pair)
    assert "baseline_m" in str(caught.value)
    assert StereoCamera.from_projections(*pair, rule=BaselineRule(0, 1e-5, 100)).baseline_m == pytest.approx(-tx / fx)
    assert StereoCamera.from_projections(*pair, rule=BaselineRule(0.12)).baseline_m == 0.12


@pytest.mark.parametrize(("left_tx", "right_tx"), [(0, 0), (-47.9, -47.9), (0, 51.25)])
def test_a_baseline_from_elsewhere_stands_in_for_the_matrices(left_tx, right_tx):
    pair = projection(tx=left_tx), projection(tx=right_tx)
    assert StereoCamera.from_projections(*pair, rule=BaselineRule(0.125)).baseline_m == 0.125


@pytest.mark.parametrize("model", ["plumb_bob", "equidistant"])
@pytest.mark.parametrize(("k_fx", "d", "doubted"), [(410.0, -0.03, True), (410.0, 0.0, False), (431.0, -0.03, False)])
def test_a_lens_that_rectification_did_not_touch_is_doubted(model, k_fx, d, doubted):
    def info(k_fx, d):
        k = [k_fx, 0, 83, 0, 395, 30.25, 0, 0, 1]
        return SimpleNamespace(distortion_model=model, d=[d, 0, 0, 0], k=k, p=projection())

    good = info(431.0, -0.03)
    assert bool(doubt_about_rectified(info(k_fx, d), good)) == doubted
    text = doubt_about_rectified(good, info(k_fx, d))
    assert text.startswith("the right camera_info says that its lens distorts") == doubted


def test_projections_lead_back_to_the_camera():
    assert StereoCamera.from_projections(*SIZED.projections(), SIZED.size) == SIZED
    assert SIZED.projections()[1][0, 3] == -410 * 0.125


def test_a_crop_moves_the_principal_points_and_nothing_else():
    window = SIZED.cropped(4, 10, (50, 100))
    assert window == StereoCamera(410.0, 395.0, 73.0, 69.5, 26.25, 0.125, (50, 100))
    with pytest.raises(CalibrationError, match=r"inside 160x64, got 100x50 at \(61, 0\)"):
        SIZED.cropped(0, 61, (50, 100))


def test_flip_mirrors_and_swaps_the_views():
    flipped = SIZED.flipped()
    assert (flipped.cx_left, flipped.cx_right) == (159 - 79.5, 159 - 83.0)
    assert flipped.flipped() == SIZED
    with pytest.raises(CalibrationError, match="size of its images"):
        CAMERA.flipped()


def test_resize_knows_the_new_size_exactly():
    assert SIZED.resized((32, 80)) == SIZED.scaled((0.5, 0.5))
    assert SIZED.resized((21, 53)).size == (21, 53)
    with pytest.raises(CalibrationError, match="size of its images"):
        CAMERA.resized((32, 80))


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((0.0, 395.0, 83.0, 79.5, 30.25, 0.125), "fx 0"),
        ((410.0, 395.0, np.nan, 79.5, 30.25, 0.125), "finite"),
        ((410.0, 395.0, 83.0, 79.5, 30.25, np.inf), "finite baseline"),
        ((410.0, 395.0, 83.0, 79.5, 30.25, -0.125), "-0.125 m.*swapped"),
        ((410.0, 395.0, 83.0, 79.5, 30.25, 0.125, (0, 9)), "9x0"),
    ],
)
def test_numbers_that_are_no_camera_are_refused(numbers, words):
    with pytest.raises(CalibrationError, match=words):
        StereoCamera(*numbers)


def test_fields_of_a_rectified_image():
    fields = Camera(410.0, 395.0, 83.0, 30.25, (64, 160)).camera_info_fields(-51.25)
    assert (fields["width"], fields["height"]) == (160, 64)
    assert fields["p"] == [410, 0, 83, -51.25, 0, 395, 30.25, 0, 0, 0, 1, 0]
    assert fields["k"] == [410, 0, 83, 0, 395, 30.25, 0, 0, 1]
    assert fields["r"] == [1, 0, 0, 0, 1, 0, 0, 0, 1]
