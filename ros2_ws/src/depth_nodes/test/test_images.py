# SPDX-License-Identifier: Apache-2.0
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")

from depth_nodes.images import BitsInUse, ImageDecoder, decode_compressed, decode_image
from depth_nodes.problems import BadMessageError
from depth_runtime.color import ENCODINGS, PLANAR, to_rgb
from encoded_images import encoded_as, turned_jpeg
from sensor_msgs.msg import CompressedImage, Image
from stereo_messages import make_image

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
    """As cv_bridge's own error."""


def fake_cv_bridge(result):
    def convert(_self, _message, encoding):
        assert encoding == "rgb8"
        if isinstance(result, Exception):
            raise result
        return result

    return SimpleNamespace(CvBridge=type("CvBridge", (), {"imgmsg_to_cv2": convert}))


def test_what_is_not_known_here_goes_through_cv_bridge_where_it_is_installed(monkeypatch):
    converted = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    monkeypatch.setitem(sys.modules, "cv_bridge", fake_cv_bridge(converted))
    pixels, encoding = decode_image(message("nv24")[0], "left")
    assert pixels is converted
    assert encoding == "rgb8"


def test_what_cv_bridge_refuses_is_a_bad_message(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv_bridge", fake_cv_bridge(FakeBridgeError("no such conversion")))
    with pytest.raises(BadMessageError, match="no such conversion") as error:
        decode_image(message("32FC2")[0], "left")
    assert error.value.cause == "encoding"


@pytest.mark.parametrize("bridge", [None, fake_cv_bridge(FakeBridgeError("x" * 1_000_000))])
def test_an_encoding_that_nobody_knows_is_told_in_a_short_line(monkeypatch, bridge):
    monkeypatch.setitem(sys.modules, "cv_bridge", bridge)
    with pytest.raises(BadMessageError, match="left") as error:
        decode_image(message("y" * 1_000_000)[0], "left")
    assert error.value.cause == "encoding"
    assert f"{'y' * 60}'... (1000000 characters)" in str(error.value)
    assert "'rgb8', 'rgb16'" in str(error.value)
    assert len(str(error.value)) < 1500


def test_a_long_format_is_told_in_a_short_line():
    with pytest.raises(BadMessageError, match="not an image") as error:
        decode_compressed(CompressedImage(format="z" * 1_000_000, data=b"nothing"), "left")
    assert len(str(error.value)) < 400


def decode(decoder, left, right, encoding):
    pair = {name: make_image(pixels, encoding) for name, pixels in (("left", left), ("right", right))}
    return decoder.decode(pair, {name: f"/{name}/image_rect" for name in pair})


@pytest.mark.parametrize("encoding", ["mono16", "16UC1", "bayer_rggb16", "rgb16", "16UC3"])
def test_both_eyes_share_a_scale_that_grows_at_once_and_does_not_flicker(encoding):
    said = []
    decoder = ImageDecoder(said.append)
    shape = (8, 8, 3) if encoding in ("rgb16", "16UC3") else (8, 8)

    def levels(left, right):
        images, encodings = decode(decoder, *(np.full(shape, value, np.uint16) for value in (left, right)), encoding)
        assert set(encodings.values()) == {"mono8" if encoding in ("mono16", "16UC1") else "rgb8"}
        return [int(np.median(images[name])) for name in ("left", "right")]

    assert levels(500, 900) == [round(255 * 500 / 1023), round(255 * 900 / 1023)]
    assert levels(90, 30) == [22, 7]
    assert levels(1023, 0) == [255, 0]
    assert len(said) == 1
    assert "/left/image_rect and /right/image_rect" in said[0]
    assert "up to 900: 10 of 16 bits are in use, so 0 .. 1023 is" in said[0]
    assert levels(500, 1024) == [31, 64]
    assert levels(90, 30) == [6, 2]
    assert len(said) == 2
    assert levels(65535, 257) == [255, 1]
    assert levels(65535, 257) == [255, 1]
    assert len(said) == 3


def test_a_broken_frame_does_not_leave_the_others_dark_for_ever():
    said = []
    scale = BitsInUse(said.append)

    def bits(most):
        scale.see({"left": np.array([[0, most]], np.uint16)})
        return scale.bits

    assert bits(65535) == 16
    assert {bits(1000 if frame % 7 else 300) for frame in range(299)} == {16}
    assert {bits(300) for _ in range(299)} == {10}
    assert bits(1023) == 10
    assert {bits(300) for _ in range(299)} == {10}
    assert bits(4000) == 12
    assert len(said) == 3


def test_eight_bits_say_nothing():
    said = []
    pixels = np.full((8, 8, 3), 200, np.uint8)
    images, encodings = decode(ImageDecoder(said.append), pixels, pixels, "bgr8")
    assert (encodings["left"], images["left"][0, 0, 0], said) == ("bgr8", 200, [])


@pytest.mark.parametrize("encoding", [*ENCODINGS, *PLANAR])
def test_every_encoding_becomes_a_picture_of_the_camera_s_size(encoding):
    rgb = np.full((8, 12, 3), (200, 120, 40), np.uint8)
    made = make_image(encoded_as(rgb, encoding), encoding)
    made.height = 8
    images, encodings = ImageDecoder(str).decode({"left": made}, {"left": "left"})
    assert images["left"].shape[:2] == (8, 12)
    colour = [int(np.median(plane)) for plane in np.moveaxis(to_rgb(images["left"], encodings["left"]), -1, 0)]
    grey = round(0.299 * 200 + 0.587 * 120 + 0.114 * 40)
    np.testing.assert_allclose(
        colour, [grey] * 3 if "mono" in encoding or "UC1" in encoding else (200, 120, 40), atol=3
    )


@pytest.mark.parametrize("encoding", ["uyvy", "nv12"])
def test_an_odd_size_of_yuv_is_a_bad_message(encoding):
    made = Image(height=4, width=7, encoding=encoding, step=14, data=bytes(14 * 6))
    with pytest.raises(BadMessageError, match=f"left: expected an even width and height for '{encoding}'") as error:
        ImageDecoder(str).decode({"left": made}, {"left": "left"})
    assert error.value.cause == "size"


def compressed(format_text, pixels, suffix):
    data = cv2.imencode(suffix, pixels, [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()
    return CompressedImage(format=format_text, data=data)


GREY = cv2.resize(np.random.default_rng(0).integers(0, 256, (6, 9), np.uint8), (72, 48))
COLOUR = cv2.merge([GREY, GREY // 2, 255 - GREY])  # BGR


@pytest.mark.parametrize(
    ("format_text", "pixels", "suffix", "encoding"),
    [
        ("rgb8; jpeg compressed bgr8", COLOUR, ".jpg", "bgr8"),
        ("rgb8; jpeg compressed rgb8", COLOUR, ".jpg", "rgb8"),  # image_transport before Fuerte
        ("bayer_rggb8; jpeg compressed bgr8", COLOUR, ".jpg", "bgr8"),
        ("bayer_rggb8; jpeg compressed mono8", GREY, ".jpg", "mono8"),
        ("bayer_rggb8; jpeg compressed bayer_rggb8", GREY, ".jpg", "bayer_rggb8"),
        ("bayer_grbg8; png compressed ", GREY, ".png", "bayer_grbg8"),
        ("bayer_gbrg8; jpeg compressed ", GREY, ".jpg", "bayer_gbrg8"),  # Noetic
        ("bayer_bggr16; png compressed ", GREY.astype(np.uint16) * 4, ".png", "bayer_bggr16"),
        ("yuv422_yuy2; jpeg compressed mono8", GREY, ".jpg", "mono8"),
        ("yuv422; jpeg compressed bgr8", COLOUR, ".jpg", "bgr8"),
        ("mono16; png compressed ", GREY.astype(np.uint16) * 4, ".png", "mono16"),
        ("mono16; jpeg compressed mono8", GREY, ".jpg", "mono8"),
        ("rgb16; png compressed bgr16", COLOUR.astype(np.uint16) * 257, ".png", "bgr16"),
        ("mono8; tiff compressed ", GREY, ".tiff", "mono8"),
        ("rgba8; png compressed bgr8", cv2.cvtColor(COLOUR, cv2.COLOR_BGR2BGRA), ".png", "bgr8"),
        ("jpeg", COLOUR, ".jpg", "bgr8"),
        ("png", GREY, ".png", "mono8"),
        ("", COLOUR, ".webp", "bgr8"),
    ],
)
def test_a_compressed_image_is_what_its_file_holds(format_text, pixels, suffix, encoding):
    decoded, got = decode_compressed(compressed(format_text, pixels, suffix), "left")
    assert got == encoding
    assert np.abs(decoded.astype(int) - pixels[..., : decoded.shape[-1] if pixels.ndim == 3 else None]).mean() < 5


def test_exif_turns_no_message():
    decoded, _ = decode_compressed(CompressedImage(format="jpeg", data=turned_jpeg(COLOUR)), "left")
    assert np.abs(decoded.astype(int) - COLOUR).mean() < 5


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_every_truncation_of_a_compressed_image_is_refused(suffix):
    """OpenCV itself would fill the missing part of a JPEG with grey."""
    pixels = cv2.resize(np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8), (72, 48))
    whole = cv2.imencode(suffix, pixels)[1].tobytes()
    decoded, encoding = decode_compressed(CompressedImage(format=suffix[1:], data=whole), "left")
    assert encoding == "bgr8"
    assert np.abs(decoded.astype(int) - pixels).mean() < 12
    for end in range(0, len(whole) - 1, max(1, len(whole) // 40)):
        with pytest.raises(BadMessageError, match=r"truncated|not an image|end in the header|empty"):
            decode_compressed(CompressedImage(format=suffix[1:], data=whole[:end]), "left")


def test_zeros_behind_a_jpeg_are_no_truncation():
    whole = cv2.imencode(".jpg", np.full((16, 24, 3), 90, np.uint8))[1].tobytes() + bytes(64)
    assert decode_compressed(CompressedImage(format="jpeg", data=whole), "left")[0].shape == (16, 24, 3)
