# SPDX-License-Identifier: Apache-2.0
"""The bytes that are put together by hand must be what rclpy itself would have sent."""

import numpy as np
import pytest

pytest.importorskip("rclpy")

from depth_nodes.calibration import scaled_camera_info, stereo_camera
from depth_nodes.messages import disparity_message, image_message, points_message
from depth_nodes.problems import BadMessageError
from depth_runtime.camera import StereoCamera
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, RegionOfInterest
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

CAMERA = StereoCamera(410.0, 395.0, 83.0, 79.5, 30.25, 0.125)


def header(frame):
    message = Header(frame_id=frame)
    message.stamp.sec, message.stamp.nanosec = 12, 345
    return message


@pytest.mark.parametrize("frame", ["", "a", "ab", "abc", "left_camera_optical_frame"])
@pytest.mark.parametrize("size", [(3, 5), (4, 8), (1, 1)])
def test_bytes_read_back_like_rclpys_own_for_every_alignment(frame, size):
    rng = np.random.default_rng(0)
    depth = rng.random(size, np.float32)
    cases = (
        (Image, image_message(header(frame), depth, "32FC1")),
        (Image, image_message(header(frame), (depth * 255).astype(np.uint8), "mono8")),
        (Image, image_message(header(frame), (depth * 60000).astype(np.uint16), "mono16")),
        (Image, image_message(header(frame), rng.integers(0, 255, (*size, 3), np.uint8), "rgb8")),
        (DisparityImage, disparity_message(header(frame), depth, CAMERA, (-3.5, 124.0), 0.0625)),
        (
            PointCloud2,
            points_message(header(frame), rng.random((*size, 3), np.float32), np.zeros((*size, 3), np.uint8)),
        ),
    )
    for kind, data in cases:
        message = deserialize_message(data, kind)
        own = serialize_message(message)
        assert message.header.frame_id == frame
        assert len(own) == len(data)  # the padding inside has no defined content, so the bytes may differ there
        assert deserialize_message(own, kind) == message


def test_pixels_of_a_view_arrive_in_order():
    wide = np.arange(60, dtype=np.float32).reshape(6, 10)
    message = deserialize_message(image_message(header("x"), wide[:, 2:7], "32FC1"), Image)
    np.testing.assert_array_equal(np.frombuffer(bytes(message.data), np.float32).reshape(6, 5), wide[:, 2:7])
    assert message.step == 20


def info(width=640, height=480, **fields):
    message = CameraInfo(width=width, height=height, **fields)
    message.k = [400.0, 0.0, 310.0, 0.0, 380.0, 235.0, 0.0, 0.0, 1.0]
    message.p = [410.0, 0.0, 321.0, -51.25, 0.0, 395.0, 239.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message


def left_info(**fields):
    message = info(**fields)
    message.p[3] = 0.0
    return message


def test_binning_and_region_of_interest_bring_p_to_the_image():
    fields = {"binning_x": 2, "binning_y": 2, "roi": RegionOfInterest(x_offset=40, y_offset=20, width=560, height=400)}
    camera = stereo_camera(left_info(**fields), info(**fields), (200, 280))
    assert camera.fx == pytest.approx(205)
    assert camera.cx_left == pytest.approx((321 - 40) / 2)
    assert camera.cy == pytest.approx((239 - 20) / 2)
    assert camera.baseline_m == pytest.approx(0.125)


def test_an_image_of_another_size_than_its_camera_info_is_refused():
    with pytest.raises(BadMessageError, match="640x480") as error:
        stereo_camera(left_info(), info(), (240, 320))
    assert error.value.cause == "calibration"


def test_published_camera_info_is_scaled_and_has_no_binning_left():
    fields = {"binning_x": 2, "binning_y": 2, "roi": RegionOfInterest(x_offset=40, y_offset=20, width=560, height=400)}
    published = scaled_camera_info(left_info(**fields), (200, 280), (100, 70))
    assert (published.width, published.height) == (70, 100)
    assert (published.binning_x, published.binning_y, published.roi.width) == (0, 0, 0)
    assert published.p[0] == pytest.approx(205 / 4)
    assert published.p[5] == pytest.approx(395 / 2 / 2)
    assert published.p[2] == pytest.approx(((321 - 40) / 2 + 0.5) / 4 - 0.5)
    assert list(published.k) == [published.p[i] for i in (0, 1, 2, 4, 5, 6, 8, 9, 10)]


@pytest.mark.parametrize("lens", [("plumb_bob", 5), ("rational_polynomial", 8)])
def test_published_camera_info_is_that_of_a_rectified_image(lens):
    """EuRoC's left camera with KITTI's left translation; K of the raw image would put a point at 5 m 0.22 m off."""
    model, count = lens
    raw = CameraInfo(width=752, height=480, distortion_model=model, d=[-0.28340811, *[0.07] * (count - 1)])
    raw.k = [458.654, 0.0, 367.215, 0.0, 457.296, 248.375, 0.0, 0.0, 1.0]
    raw.r = [0.99996, -0.0015, 0.0083, 0.0016, 0.99998, -0.007, -0.0083, 0.0071, 0.99994]
    raw.p = [435.205, 0.0, 367.452, 59.9, 0.0, 435.205, 252.2, 0.0, 0.0, 0.0, 1.0, 0.0]
    raw.header.frame_id = "cam0"
    published = scaled_camera_info(raw, (480, 752), (480, 752))
    assert list(published.k) == [435.205, 0, 367.452, 0, 435.205, 252.2, 0, 0, 1]
    assert list(published.p) == [435.205, 0, 367.452, 0, 0, 435.205, 252.2, 0, 0, 0, 1, 0]
    assert list(published.r) == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert (published.distortion_model, list(published.d)) == (model, [0.0] * count)
    assert (published.width, published.height, published.header.frame_id) == (752, 480, "cam0")
    assert (raw.k[0], raw.p[3], raw.d[0]) == (458.654, 59.9, -0.28340811)  # the pair's message stays as it came
