# SPDX-License-Identifier: Apache-2.0
import numpy as np
from depth_runtime.camera import StereoCamera
from depth_runtime.geometry import depth_from_disparity, depth_millimetres, points_from_depth

CAMERA = StereoCamera(fx=410.0, fy=395.0, cx_left=83.0, cx_right=79.5, cy=30.25, baseline_m=0.125)


def test_depth_is_focal_times_baseline_over_disparity_with_rep_117_outside():
    disparity = np.array([[51.25, 10.25, 0.0, -2.0, np.nan, 0.5, 102.5]], np.float32)
    depth = depth_from_disparity(disparity, 410.0, 0.125, min_depth_m=0.8, max_depth_m=100.0)
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, [[1.0, 5.0, np.inf, np.inf, np.nan, np.inf, -np.inf]], rtol=1e-6)


def test_depth_of_a_sure_infinity_and_without_limits():
    disparity = np.array([[1e-3, 400.0, 0.0]], np.float32)
    depth = depth_from_disparity(disparity, 410.0, 0.125)
    np.testing.assert_allclose(depth, [[51250.0, 0.128125, np.inf]], rtol=1e-5)


def test_millimetres_round_and_use_0_for_everything_else():
    depth = np.array([[1.2345, np.nan, np.inf, -np.inf, 65.535, 65.6, 0.0]], np.float32)
    assert depth_millimetres(depth).tolist() == [[1234, 0, 0, 0, 65535, 0, 0]]
    assert depth_millimetres(depth).dtype == np.uint16


def test_points_lie_on_their_rays():
    depth = np.full((60, 160), 4.0, np.float32)
    depth[0, 0] = np.inf
    depth[3, 6] = np.nan
    points = points_from_depth(depth, CAMERA.left, stride=3)
    assert points.shape == (20, 54, 3)
    assert np.isnan(points[0, 0]).all()
    assert np.isnan(points[1, 2]).all()
    v, u = 7, 11
    np.testing.assert_allclose(points[v, u], [(3 * u - 83.0) / 410 * 4, (3 * v - 30.25) / 395 * 4, 4], rtol=1e-5)
