# SPDX-License-Identifier: Apache-2.0
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")

from depth_nodes.images import decode_compressed, decode_image
from depth_nodes.problems import BadMessageError
from sensor_msgs.msg import CompressedImage, Image

HEIGHT, WIDTH = 5, 7


def message(encoding="rgb8", padding=0):
    step = WIDTH * 3 + padding
    data = np.random.default_rng(0).integers(0, 256, (HEIGHT, step), np.uint8)
    return Image(height=HEIGHT, width=WIDTH, encoding=encoding, step=step, data=data.tobytes()), data


@pytest.mark.parametrize("padding", [0, 11])
def test_pixels_are_a_view_of_the_messages_bytes(padding):
    image, data = message(padding=padding)
    pixels, encoding = decode_image(image, "left")
    assert encoding == "rgb8"
    np.testing.assert_array_equal(pixels, data[:, : WIDTH * 3].reshape(HEIGHT, WIDTH, 3))
    assert np.shares_memory(pixels, np.frombuffer(image.data, np.uint8))


class FakeBridgeError(TypeError):
    pass


def fake_cv_bridge(answer):
    def convert(_self, _message, encoding):
        assert encoding == "rgb8"
        if isinstance(answer, Exception):
            raise answer
        return answer

    return SimpleNamespace(CvBridge=type("CvBridge", (), {"imgmsg_to_cv2": convert}), CvBridgeError=FakeBridgeError)


def test_other_encodings_go_through_cv_bridge_where_it_is_installed(monkeypatch):
    converted = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    monkeypatch.setitem(sys.modules, "cv_bridge", fake_cv_bridge(converted))
    pixels, encoding = decode_image(message("bayer_rggb8")[0], "left")
    assert pixels is converted
    assert encoding == "rgb8"


def test_what_cv_bridge_refuses_is_a_bad_message(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv_bridge", fake_cv_bridge(FakeBridgeError("no such conversion")))
    with pytest.raises(BadMessageError, match="no such conversion") as error:
        decode_image(message("32FC2")[0], "left")
    assert error.value.cause == "encoding"


def test_without_cv_bridge_the_encodings_are_listed(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv_bridge", None)
    with pytest.raises(BadMessageError, match=r"among \['rgb8', 'bgr8'.*got 'bayer_rggb8'.*install cv_bridge"):
        decode_image(message("bayer_rggb8")[0], "left")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_every_truncation_of_a_compressed_image_is_refused(suffix):
    """OpenCV itself would fill the missing part of a JPEG with grey."""
    pixels = cv2.resize(np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8), (72, 48))
    whole = cv2.imencode(suffix, pixels)[1].tobytes()
    decoded, encoding = decode_compressed(CompressedImage(format=suffix[1:], data=whole), "left")
    assert encoding == "bgr8"
    assert np.abs(decoded.astype(int) - pixels).mean() < 12
    for end in range(0, len(whole) - 1, max(1, len(whole) // 40)):
        with pytest.raises(BadMessageError, match="truncated or not an image"):
            decode_compressed(CompressedImage(format=suffix[1:], data=whole[:end]), "left")


def test_zeros_behind_a_jpeg_are_no_truncation():
    whole = cv2.imencode(".jpg", np.full((16, 24, 3), 90, np.uint8))[1].tobytes() + bytes(64)
    assert decode_compressed(CompressedImage(format="jpeg", data=whole), "left")[0].shape == (16, 24, 3)
