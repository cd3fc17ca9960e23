# SPDX-License-Identifier: Apache-2.0
"""Every field of every published message, with a network whose predictions are known from its inputs."""

import json

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import PointField, RegionOfInterest
from stereo_messages import (
    BASELINE_M,
    CX_LEFT,
    CX_RIGHT,
    CY,
    FRAME,
    FX,
    FY,
    HEIGHT,
    WIDTH,
    make_image,
    make_info,
    scene,
)
from stereo_rig import OUTPUTS

SHIFT_PX = CX_LEFT - CX_RIGHT
NEAR_M, FAR_M = 1.5, 20.0


def pixels(image, dtype, channels=1):
    shape = (image.height, image.width) + ((channels,) if channels > 1 else ())
    assert image.step == image.width * np.dtype(dtype).itemsize * channels
    assert image.is_bigendian == 0
    return np.frombuffer(bytes(image.data), dtype).reshape(shape)


@pytest.fixture(scope="module")
def node(start_for_module):
    process, rig = start_for_module(listen=tuple(OUTPUTS), parameters={"min_depth_m": NEAR_M, "max_depth_m": FAR_M})
    rig.listen_latched("panoptic/labels")
    return process, rig


@pytest.fixture(scope="module")
def answered(node):
    """A scene and the stamp under which its outputs were published."""
    _, rig = node
    left, right = scene()
    stamp_s = rig.send_scene(left, right)
    for topic in OUTPUTS:
        rig.message_of(topic, stamp_s)
    return rig, left, right, stamp_s


@pytest.fixture(scope="module")
def expected_depth(answered):
    disparity = answered[1][..., 0] / np.float32(2) - np.float32(SHIFT_PX)
    with np.errstate(divide="ignore"):
        depth = FX * BASELINE_M / disparity
    depth[disparity <= 0] = np.inf
    depth[depth > FAR_M] = np.inf
    depth[depth < NEAR_M] = -np.inf
    assert np.isposinf(depth).any()
    assert np.isneginf(depth).any()
    assert np.isfinite(depth).any()
    return depth


def test_every_output_carries_the_left_images_stamp_and_frame(answered):
    rig, _, _, stamp_s = answered
    for topic in OUTPUTS:
        assert rig.message_of(topic, stamp_s).header.frame_id == FRAME, topic


def test_disparity_equals_the_network_minus_the_shift_of_the_principal_points(answered):
    rig, left, _, stamp_s = answered
    message = rig.message_of("disparity", stamp_s)
    assert message.image.encoding == "32FC1"
    assert message.image.header == message.header
    np.testing.assert_allclose(pixels(message.image, np.float32), left[..., 0] / 2 - SHIFT_PX, atol=0.001)


def test_disparity_image_scalars_describe_the_pair(answered):
    rig, _, _, stamp_s = answered
    message = rig.message_of("disparity", stamp_s)
    assert message.f == pytest.approx(FX)
    assert message.t == pytest.approx(BASELINE_M)
    window = message.valid_window
    assert (window.x_offset, window.y_offset, window.width, window.height) == (0, 0, WIDTH, HEIGHT)
    assert message.delta_d == pytest.approx(1 / 16)
    assert message.min_disparity == pytest.approx(-SHIFT_PX)
    assert message.max_disparity == pytest.approx(127.5 - SHIFT_PX)
    disparity = pixels(message.image, np.float32)
    assert disparity.min() >= message.min_disparity
    assert disparity.max() <= message.max_disparity


def test_depth_follows_from_the_disparity_with_inf_out_of_range(answered, expected_depth):
    rig, _, _, stamp_s = answered
    message = rig.message_of("depth/image_rect", stamp_s)
    assert message.encoding == "32FC1"
    np.testing.assert_allclose(pixels(message, np.float32), expected_depth, rtol=1e-5)


def test_depth_camera_info_is_that_of_the_rectified_left_image(answered):
    rig, _, _, stamp_s = answered
    info = rig.message_of("depth/camera_info", stamp_s)
    assert (info.width, info.height) == (WIDTH, HEIGHT)
    assert list(info.k) == pytest.approx([FX, 0, CX_LEFT, 0, FY, CY, 0, 0, 1])
    assert list(info.p) == pytest.approx([FX, 0, CX_LEFT, 0, 0, FY, CY, 0, 0, 0, 1, 0])
    assert list(info.r) == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert (info.distortion_model, list(info.d)) == ("plumb_bob", [0.0] * 5)


def test_a_translated_left_camera_a_region_of_interest_and_a_binning_leave_the_baseline_alone(node):
    """P is that of a sensor of 340 x 148 pixels; the images are a region of it, at half the resolution."""
    _, rig = node
    left, right = scene()
    stamp_s = rig.next_stamp()
    infos = []
    for side in ("left", "right"):
        tx = 59.9 - (FX * BASELINE_M if side == "right" else 0)
        info = make_info(side, (148, 340), stamp_s, tx=tx)
        info.binning_x = info.binning_y = 2
        info.roi = RegionOfInterest(x_offset=12, y_offset=8, width=2 * WIDTH, height=2 * HEIGHT)
        infos.append(info)
    rig.send(make_image(left, stamp_s=stamp_s), make_image(right, stamp_s=stamp_s), *infos)
    disparity = rig.message_of("disparity", stamp_s)
    assert (disparity.f, disparity.t) == (pytest.approx(FX / 2), pytest.approx(BASELINE_M))
    info = rig.message_of("depth/camera_info", stamp_s)
    cx, cy = (CX_LEFT - 12) / 2, (CY - 8) / 2
    assert list(info.p) == pytest.approx([FX / 2, 0, cx, 0, 0, FY / 2, cy, 0, 0, 0, 1, 0])
    depth, d = (pixels(rig.message_of("depth/image_rect", stamp_s), np.float32), pixels(disparity.image, np.float32))
    known = np.isfinite(depth)
    np.testing.assert_allclose(depth[known], FX / 2 * BASELINE_M / d[known], rtol=1e-5)


def test_confidence_is_0_to_1(answered):
    rig, _, right, stamp_s = answered
    message = rig.message_of("confidence", stamp_s)
    assert message.encoding == "32FC1"
    np.testing.assert_allclose(pixels(message, np.float32), right[..., 1] / 255, atol=1e-6)


def test_semantic_is_the_class_id(answered):
    rig, left, _, stamp_s = answered
    message = rig.message_of("panoptic/semantic", stamp_s)
    assert message.encoding == "mono8"
    np.testing.assert_array_equal(pixels(message, np.uint8), left[..., 2])


def test_instances_lie_on_things_only(node):
    _, rig = node
    left, right = scene(seed=5)
    left[..., 1] = 0
    left[..., 2] = 0
    left[8:24, 8:40, 2] = 1
    left[30:50, 100:140, 2] = 2
    left[16, 24, 1] = left[40, 120, 1] = 255  # the probe predicts a centre here
    stamp_s = rig.send_scene(left, right)
    message = rig.message_of("panoptic/instance", stamp_s)
    assert message.encoding == "mono16"
    instance = pixels(message, np.uint16)
    assert (instance[left[..., 2] == 0] == 0).all()
    car, person = np.unique(instance[8:24, 8:40]), np.unique(instance[30:50, 100:140])
    assert len(car) == len(person) == 1
    assert car[0] > 0
    assert person[0] > 0
    assert car[0] != person[0]


def test_colour_views_are_rgb8_of_the_published_size(answered):
    rig, _, _, stamp_s = answered
    for topic in ("panoptic/image_color", "disparity/image_color"):
        message = rig.message_of(topic, stamp_s)
        assert message.encoding == "rgb8"
        view = pixels(message, np.uint8, 3)
        assert view.shape == (HEIGHT, WIDTH, 3)
        assert view.std() > 10


def test_points_lie_on_the_rays_of_their_pixels(answered, expected_depth):
    rig, left, _, stamp_s = answered
    message = rig.message_of("points", stamp_s)
    assert [(f.name, f.offset, f.datatype, f.count) for f in message.fields] == [
        (name, 4 * i, PointField.FLOAT32, 1) for i, name in enumerate(("x", "y", "z", "rgb"))
    ]
    assert (message.height, message.width) == (HEIGHT // 2, WIDTH // 2)
    assert (message.point_step, message.row_step) == (16, 16 * message.width)
    assert not message.is_dense
    cloud = np.frombuffer(bytes(message.data), np.float32).reshape(message.height, message.width, 4)
    z = expected_depth[::2, ::2]
    v, u = np.mgrid[0:HEIGHT:2, 0:WIDTH:2]
    seen = np.isfinite(z)
    assert np.isnan(cloud[~seen][:, :3]).all()
    np.testing.assert_allclose(cloud[seen][:, 2], z[seen], rtol=1e-5)
    np.testing.assert_allclose(cloud[seen][:, 0], ((u - CX_LEFT) / FX * z)[seen], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(cloud[seen][:, 1], ((v - CY) / FY * z)[seen], rtol=1e-4, atol=1e-5)
    rgb = cloud[..., 3].copy().view(np.uint32)
    packed = left[::2, ::2].astype(np.uint32)
    np.testing.assert_array_equal(rgb, packed[..., 0] << 16 | packed[..., 1] << 8 | packed[..., 2])


def test_labels_are_latched_as_json(node):
    _, rig = node
    rig.wait(lambda: bool(rig.received["panoptic/labels"]), "the latched labels")
    labels = json.loads(rig.received["panoptic/labels"][0].data)
    assert labels["unlabelled"] == 255
    assert [(entry["id"], entry["name"], entry["thing"]) for entry in labels["labels"]] == [
        (0, "road", False),
        (1, "vehicle", True),
        (2, "person", True),
    ]


def test_millimetres_are_uint16_with_0_for_everything_invalid(start):
    _, rig = start(listen=("depth/image_rect",), parameters={"depth_encoding": "16UC1", "max_depth_m": 100.0})
    left, right = scene(seed=2)
    left[0, :4, 0] = (0, 7, 8, 20)  # infinitely far, 0 px after the shift, 102.5 m, 7.885 m
    stamp_s = rig.send_scene(left, right)
    message = rig.message_of("depth/image_rect", stamp_s)
    assert message.encoding == "16UC1"
    assert pixels(message, np.uint16)[0, :4].tolist() == [0, 0, 0, round(FX * BASELINE_M / 6.5 * 1000)]


def test_unsure_pixels_become_nan_in_disparity_depth_and_points(start):
    topics = ("disparity", "depth/image_rect", "points")
    _, rig = start(listen=topics, parameters={"confidence_threshold": 0.5, "point_stride": 1})
    left, right = scene(seed=3)
    stamp_s = rig.send_scene(left, right)
    unsure = right[..., 1] < 127.5
    disparity = pixels(rig.message_of("disparity", stamp_s).image, np.float32)
    depth = pixels(rig.message_of("depth/image_rect", stamp_s), np.float32)
    cloud = np.frombuffer(bytes(rig.message_of("points", stamp_s).data), np.float32).reshape(HEIGHT, WIDTH, 4)
    np.testing.assert_array_equal(np.isnan(disparity), unsure)
    np.testing.assert_array_equal(np.isnan(depth), unsure)
    assert np.isnan(cloud[unsure][:, :3]).all()
    rig.wait_for_status()
    # The warm-up's scene is in the window too.
    assert float(rig.status["valid ratio"]) == pytest.approx(np.isfinite(depth).mean(), abs=0.02)


@pytest.mark.parametrize("network_size", ["320x96", "96x64"])
@pytest.mark.parametrize("output_size", ["source", "network"])
def test_maps_of_another_network_size_keep_their_metric_depth(start, network_size, output_size):
    """A smooth scene, so that resampling costs little; depth must not depend on the network's size."""
    _, rig = start(
        listen=("disparity", "depth/image_rect", "depth/camera_info"),
        parameters={"network_size": network_size, "output_size": output_size, "max_depth_m": 1000.0},
    )
    left, right = scene(seed=4)
    left[..., 0] = np.linspace(40, 220, WIDTH).astype(np.uint8)[None]
    stamp_s = rig.send_scene(left, right)
    message = rig.message_of("disparity", stamp_s)
    width, height = map(int, network_size.split("x"))
    inside = min(width / WIDTH, height / HEIGHT)
    size = (HEIGHT, WIDTH) if output_size == "source" else (round(HEIGHT * inside), round(WIDTH * inside))
    scale = size[1] / WIDTH
    assert (message.image.height, message.image.width) == size
    assert (message.valid_window.height, message.valid_window.width) == size
    assert message.f == pytest.approx(FX * scale)
    assert message.t == pytest.approx(BASELINE_M)

    # The probe says "red / 2" in network pixels whatever the size; in published pixels that is scaled by the widths.
    to_published = size[1] / round(WIDTH * inside)
    red = cv2.resize(left[..., 0].astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)
    disparity = pixels(message.image, np.float32)
    expected = red / 2 * to_published - SHIFT_PX * scale
    assert np.abs(disparity - expected).max() <= 1.5 * to_published  # a red step is half a pixel, resampled twice
    assert np.abs(disparity - expected).mean() <= 0.3 * to_published
    assert message.delta_d == pytest.approx(to_published / 16)

    info = rig.message_of("depth/camera_info", stamp_s)
    assert (info.height, info.width) == size
    assert info.p[0] == pytest.approx(FX * scale)
    assert info.p[5] == pytest.approx(FY * size[0] / HEIGHT)
    assert info.p[2] == pytest.approx((CX_LEFT + 0.5) * scale - 0.5)
    assert info.p[6] == pytest.approx((CY + 0.5) * size[0] / HEIGHT - 0.5)
    depth = pixels(rig.message_of("depth/image_rect", stamp_s), np.float32)
    np.testing.assert_allclose(depth, message.f * message.t / disparity, rtol=1e-5)
