# SPDX-License-Identifier: Apache-2.0
"""Encodings of cameras to RGB: the right colours in the right places, whatever the order of bytes and rows."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from depth_runtime.color import ENCODINGS, PLANAR, bits_used, quoted, to_rgb
from depth_runtime.image_buffer import ImageBufferError, view_pixels
from encoded_images import encoded_as

ALL = [*ENCODINGS, *PLANAR]
HEIGHT, WIDTH = 24, 32


def colours():
    """Four fields whose colours no exchange of channels or of rows leaves as they are."""
    image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    image[:12, :16], image[:12, 16:] = (200, 90, 40), (30, 160, 220)
    image[12:, :16], image[12:, 16:] = (90, 40, 150), (240, 240, 20)
    return image


def message(pixels, encoding, padding=0, big_endian=False):
    """Has the fields of sensor_msgs/Image, rows padded with noise."""
    rows = pixels.byteswap() if big_endian else pixels
    rows = rows.reshape(len(rows), -1).view(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (len(rows), padding), np.uint8)
    data = np.hstack([rows, noise])
    return SimpleNamespace(
        height=HEIGHT, width=WIDTH, encoding=encoding, is_bigendian=int(big_endian), step=data.shape[1],
        data=data.reshape(-1),
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ALL)
@pytest.mark.parametrize(("padding", "big_endian"), [(0, False), (10, False), (6, True)])
def test_colours_come_back(encoding, padding, big_endian):
    image = colours()
    big_endian = big_endian and "16" in encoding
    made = message(encoded_as(image, encoding), encoding, padding, big_endian)
    rgb = to_rgb(view_pixels(made), encoding)
    if encoding.startswith(("mono", "8UC1", "16UC1")):
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert (rgb.dtype, rgb.shape) == (np.uint8, image.shape)
    inner = np.zeros((HEIGHT, WIDTH), bool)
    for row in (0, 12):
        for column in (0, 16):
            inner[row + 3 : row + 9, column + 3 : column + 13] = True
    yuv = encoding in PLANAR or ENCODINGS[encoding].channels == 2
    assert np.abs(rgb.astype(int) - image)[inner].max() <= (3 if yuv else 1)


def test_rgb_and_its_bytes_are_not_copied():
    made = message(colours(), "rgb8", padding=5)
    assert np.shares_memory(to_rgb(view_pixels(made), "rgb8"), made.data)


@pytest.mark.parametrize(
    ("most", "bits"), [(0, 8), (255, 8), (256, 10), (1023, 10), (1024, 12), (4095, 12), (4096, 14), (65535, 16)]
)
def test_bits_in_use_are_those_that_hold_the_brightest_pixel(most, bits):
    image = np.zeros((4, 6), np.uint16)
    image[1, 2] = most
    assert bits_used([np.zeros((4, 6), np.uint16), image]) == bits
    assert to_rgb(image, "mono16")[1, 2].tolist() == [round(255 * most / (2**bits - 1))] * 3


@pytest.mark.parametrize(
    ("encoding", "width", "height"), [("uyvy", 7, 4), ("yuyv", 7, 4), ("nv12", 7, 4), ("nv21", 8, 5)]
)
def test_pixels_that_share_colours_need_an_even_size(encoding, width, height):
    rows = height * 3 // 2 if encoding in PLANAR else height
    pixels = np.zeros((rows, width, 2) if encoding in ENCODINGS else (rows, width), np.uint8)
    with pytest.raises(ValueError, match=f"even width and height for '{encoding}'"):
        to_rgb(pixels, encoding)


@pytest.mark.parametrize("encoding", ALL)
def test_rows_and_data_that_are_too_short_are_told(encoding):
    made = message(encoded_as(colours(), encoding), encoding)
    made.data = made.data[:-1]
    with pytest.raises(ImageBufferError, match=f"expected {made.data.size + 1} bytes") as error:
        view_pixels(made)
    assert error.value.cause == "size"
    made.step -= 1
    with pytest.raises(ImageBufferError, match="expected step >=") as error:
        view_pixels(made)
    assert error.value.cause == "step"


@pytest.mark.parametrize("encoding", ["", "rgb", "8UC", "nv24", "32UC1", "8FC1", "x" * 1_000_000, "\n\0"])
def test_an_unknown_encoding_is_told_in_one_short_line(encoding):
    with pytest.raises(ImageBufferError, match="expected an encoding among") as error:
        view_pixels(message(colours(), encoding))
    assert error.value.cause == "encoding"
    assert len(str(error.value)) < 1000
    assert "\n" not in str(error.value)
    assert quoted(encoding) in str(error.value)


@pytest.mark.parametrize(
    ("encoding", "dtype", "channels"), [("32FC1", "f4", 1), ("64FC2", "f8", 2), ("16SC1", "i2", 1)]
)
def test_numbers_are_numbers(encoding, dtype, channels):
    values = np.random.default_rng(0).normal(0, 99, (HEIGHT, WIDTH, channels)).astype(dtype)
    made = message(values, encoding, padding=values.itemsize)
    np.testing.assert_array_equal(view_pixels(made).reshape(values.shape), values)
