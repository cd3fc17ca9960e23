# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest
from depth_runtime.camera import CalibrationError, Camera, StereoCamera

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
    ],
)
def test_degenerate_calibration_is_refused(left, right, words):
    with pytest.raises(CalibrationError, match=words):
        StereoCamera.from_projections(left, right)


@pytest.mark.parametrize(("ratio", "fits"), [(0.991, True), (1.009, True), (0.989, False), (1.011, False)])
def test_one_focal_length_means_within_one_per_cent(ratio, fits):
    right = projection(fx=410.0 * ratio, cx=79.5, tx=-51.25)
    if fits:
        assert StereoCamera.from_projections(projection(), right).fx == 410.0
    else:
        with pytest.raises(CalibrationError, match=rf"fx 410 and {410 * ratio:g}"):
            StereoCamera.from_projections(projection(), right)


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
