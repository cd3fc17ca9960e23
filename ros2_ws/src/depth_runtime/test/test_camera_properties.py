# SPDX-License-Identifier: Apache-2.0
"""Resize, crop and mirror move a camera as they move the image: a point is seen where its pixel went."""

import pytest

pytest.importorskip("hypothesis", reason="hypothesis is not installed")
from depth_runtime.camera import StereoCamera
from hypothesis import given
from hypothesis import strategies as st

SIDES = st.integers(1, 4000)
NUMBERS = {"fx": (50, 5000), "fy": (50, 5000), "cx_left": (-500, 4500), "cx_right": (-500, 4500), "cy": (-500, 4500)}
CAMERAS = st.builds(
    StereoCamera,
    **{name: st.floats(*bounds, allow_subnormal=False) for name, bounds in NUMBERS.items()},
    baseline_m=st.floats(0.011, 4.9, allow_subnormal=False),  # within what is plausible, rounding included
    size=st.tuples(SIDES, SIDES),
)
# Without subnormal numbers: libraries that other tests load may have switched them off for the whole process.
POINTS = st.tuples(
    st.floats(-20, 20, allow_subnormal=False),
    st.floats(-20, 20, allow_subnormal=False),
    st.floats(0.5, 200, allow_subnormal=False),
)


def seen(camera, point):
    """Column in the left and in the right image, and row, of a point in the left camera's frame (metres)."""
    x, y, z = point
    left = camera.fx * x / z + camera.cx_left
    right = camera.fx * (x - camera.baseline_m) / z + camera.cx_right
    return left, right, camera.fy * y / z + camera.cy


@given(CAMERAS, POINTS, st.tuples(SIDES, SIDES))
def test_a_resize_moves_pixels_by_their_edges(camera, point, size):
    left, right, row = seen(camera, point)
    scale_x, scale_y = size[1] / camera.size[1], size[0] / camera.size[0]
    expected = (left + 0.5) * scale_x - 0.5, (right + 0.5) * scale_x - 0.5, (row + 0.5) * scale_y - 0.5
    resized = camera.resized(size)
    assert resized.size == size
    assert seen(resized, point) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(CAMERAS, POINTS, st.data())
def test_a_crop_moves_pixels_by_its_corner(camera, point, data):
    top, first = data.draw(st.integers(0, camera.size[0] - 1)), data.draw(st.integers(0, camera.size[1] - 1))
    left, right, row = seen(camera, point)
    cropped = camera.cropped(top, first, (camera.size[0] - top, camera.size[1] - first))
    assert seen(cropped, point) == pytest.approx((left - first, right - first, row - top), rel=1e-9, abs=1e-6)


@given(CAMERAS, POINTS)
def test_the_mirrored_pair_sees_the_mirrored_point_with_its_views_exchanged(camera, point):
    """The mirrored right image is the left one, so the point is given in the frame of the camera on the right."""
    left, right, row = seen(camera, point)
    last = camera.size[1] - 1
    mirrored = (camera.baseline_m - point[0], point[1], point[2])
    assert seen(camera.flipped(), mirrored) == pytest.approx((last - right, last - left, row), rel=1e-9, abs=1e-6)


@given(CAMERAS)
def test_a_pair_comes_back_from_its_projections(camera):
    again = StereoCamera.from_projections(*camera.projections(), camera.size)
    assert again.baseline_m == pytest.approx(camera.baseline_m)
    assert (again.left, again.right) == (camera.left, camera.right)
