# SPDX-License-Identifier: Apache-2.0
"""What follows from a frame's maps is computed once, only if asked for, and without a copy of what is there."""

import numpy as np
import pytest

pytest.importorskip("rclpy")

from depth_nodes import maps as maps_module
from depth_nodes.maps import StereoMaps
from depth_nodes.settings import StereoSettings
from depth_nodes.views import Views
from depth_runtime.camera import StereoCamera
from depth_runtime.plan import make_plan
from depth_runtime.timing import StageTimer
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

SIZE = (8, 12)
CAMERA = StereoCamera(410.0, 395.0, 83.0, 79.5, 30.25, 0.125)


def make_maps(disparity_px, plan=None, **settings):
    return StereoMaps(
        header=Header(),
        info=CameraInfo(),
        image_rgb=np.zeros((*SIZE, 3), np.uint8),
        plan=plan or make_plan(SIZE, 4),
        confidence=None,
        panoptic=None,
        settings=StereoSettings(**settings),
        views=Views(()),
        timer=StageTimer(),
        network_disparity_px=disparity_px,
        source_camera=CAMERA,
        max_disparity_px=64.0,
    )


def test_depth_is_computed_once_and_is_a_stage_of_its_own(monkeypatch):
    calls = []
    honest = maps_module.depth_from_disparity
    monkeypatch.setattr(maps_module, "depth_from_disparity", lambda *a: calls.append(a) or honest(*a))
    maps = make_maps(np.full(SIZE, 13.5, np.float32), min_depth_m=0.0)
    assert calls == []
    assert maps.timer.milliseconds == {}
    assert maps.depth_m is maps.depth_m
    maps.points(2)
    assert len(calls) == 1
    assert list(maps.timer.milliseconds) == ["depth"]
    np.testing.assert_allclose(maps.depth_m, 410 * 0.125 / 10, rtol=1e-6)


def test_disparity_is_shifted_once_and_in_place():
    memory = np.full(SIZE, 13.5, np.float32)
    maps = make_maps(memory)
    for _ in range(2):
        assert maps.disparity_px is memory
        assert (memory == 10).all()


def test_the_image_is_resized_only_where_the_published_size_is_another_one():
    same = make_maps(np.ones(SIZE, np.float32))
    assert same.rgb is same.image_rgb
    half = make_maps(np.ones((4, 6), np.float32), make_plan(SIZE, 2, (4, 6), "network"))
    assert half.rgb.shape == (4, 6, 3)
    assert half.rgb is half.rgb
    assert half.camera.fx == 205


def test_the_valid_ratio_counts_finite_depth_and_leaves_no_stage():
    """Half of the pixels have a depth; the others are invalid, infinitely far, too far or too near."""
    disparity_px = np.full(SIZE, 13.5, np.float32)  # 5.1 m
    disparity_px[:, :6] = np.array([np.nan, 3.5, 3.0, 3.6, 120.0, 300.0], np.float32)
    maps = make_maps(disparity_px, min_depth_m=0.5, max_depth_m=100.0)
    assert maps.valid_ratio == 0.5
    assert maps.timer.milliseconds == {}
    assert np.isfinite(maps.depth_m).mean() == 0.5
