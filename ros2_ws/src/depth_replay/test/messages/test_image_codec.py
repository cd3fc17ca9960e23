# SPDX-License-Identifier: Apache-2.0
"""Camera images from raw to compressed messages and back: the same colours, or an error that names the topic."""

import cv2
import numpy as np
import pytest
from depth_replay.bags.bag import BagMessage
from depth_replay.live.decode_ahead import convert
from depth_replay.messages.definitions import COMPRESSED, IMAGE, TYPES, deserialize, serialize
from depth_replay.messages.image_codec import ImageError, decompress, header, image_array, image_message
from depth_runtime.color import ENCODINGS, PLANAR, is_mosaic, to_rgb
from encoded_images import encoded_as, turned_jpeg

RGB = np.empty((24, 32, 3), np.uint8)
RGB[:12], RGB[12:] = (200, 90, 40), (30, 160, 220)
MIDDLES = np.s_[[6, 18], 16]


def bag_message(made, topic="/left/image_rect"):
    return BagMessage(topic, made.__msgtype__, 5, serialize(made))


def raw(pixels, encoding):
    return bag_message(image_message(pixels, encoding, header(1, "cam")))


@pytest.mark.parametrize("encoding", [*ENCODINGS, *PLANAR])
def test_every_encoding_survives_both_transports(encoding):
    packed = convert(raw(encoded_as(RGB, encoding), encoding), "compressed")
    assert (packed.topic, packed.msgtype, packed.time_ns) == ("/left/image_rect/compressed", COMPRESSED, 5)
    picture = deserialize(packed.data, COMPRESSED)
    kind = "png" if "16" in encoding else "jpeg"
    assert f"; {kind} compressed" in picture.format
    assert picture.format.startswith(("bgr8;", encoding))
    unpacked = convert(packed, "raw")
    assert (unpacked.topic, unpacked.msgtype) == ("/left/image_rect", IMAGE)
    image = deserialize(unpacked.data, IMAGE)
    assert (image.height, image.width, image.header.frame_id) == (24, 32, "cam")
    if is_mosaic(encoding):
        assert image.encoding == (encoding if kind == "png" else "bgr8")
    rgb = to_rgb(image_array(image), image.encoding)
    expected = cv2.cvtColor(RGB, cv2.COLOR_RGB2GRAY)[..., None] if "mono" in encoding or "UC1" in encoding else RGB
    # YUV rounds colours, and so does JPEG.
    assert np.abs(rgb[MIDDLES].astype(int) - expected[MIDDLES]).max() <= 6


@pytest.mark.parametrize("encoding", ["32FC1", "16SC1", "64FC2"])
def test_numbers_stay_raw(encoding):
    values = np.zeros((3, 4, 2) if encoding.endswith("2") else (3, 4))
    message = raw(values, encoding)
    assert convert(message, "compressed") is message


def test_ten_bits_of_sixteen_stay_as_they_are():
    grey = np.arange(1024, dtype=np.uint16).reshape(32, 32)
    unpacked = deserialize(convert(convert(raw(grey, "mono16"), "compressed"), "raw").data, IMAGE)
    assert unpacked.encoding == "mono16"
    np.testing.assert_array_equal(image_array(unpacked), grey)


def test_exif_turns_no_message():
    message = TYPES.types[COMPRESSED](header(1, "cam"), "jpeg", np.frombuffer(turned_jpeg(RGB), np.uint8))
    pixels, encoding = decompress(message)
    assert encoding == "bgr8"
    assert np.abs(pixels[MIDDLES].astype(int) - RGB[MIDDLES]).max() <= 4


def test_an_error_names_the_topic_and_is_short():
    message = TYPES.types[COMPRESSED](header(1, "cam"), "x" * 1_000_000, np.zeros(8, np.uint8))
    with pytest.raises(ImageError, match=r"/right/image_rect/compressed: .* empty or zeros") as error:
        convert(bag_message(message, "/right/image_rect/compressed"), "raw")
    assert len(str(error.value)) < 400
