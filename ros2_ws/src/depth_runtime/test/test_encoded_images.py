# SPDX-License-Identifier: Apache-2.0
"""JPEG, PNG and their like: pixels as stored, and no pixels from what is cut, damaged or too large."""

import struct
import sys
import zlib

import cv2
import numpy as np
import pytest
from depth_runtime.files.encoded import MAX_PIXELS, EncodedImageError, check_whole, decode_pixels
from encoded_images import huge_jpeg, turned_jpeg, with_orientation

PICTURE = cv2.resize(np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8), (320, 192))


def encoded(suffix, pixels=PICTURE, *options):
    return cv2.imencode(suffix, pixels, options)[1].tobytes()


@pytest.mark.parametrize("mode", [cv2.IMREAD_UNCHANGED, cv2.IMREAD_COLOR, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH])
def test_pixels_are_as_stored_whatever_exif_says(mode):
    content = turned_jpeg(PICTURE)
    plain = encoded(".jpg", PICTURE, cv2.IMWRITE_JPEG_QUALITY, 95)
    turned = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(turned[::-1, ::-1].astype(int) - PICTURE).mean() < 3  # so the tag is one that OpenCV heeds
    np.testing.assert_array_equal(decode_pixels(content, mode), decode_pixels(plain, mode))


@pytest.mark.parametrize("tail", [b"\1\2\3\4", bytes(64), b"\xff", bytes(range(255)) * 40])
def test_what_cameras_append_to_a_jpeg_is_no_damage(tail):
    whole = encoded(".jpg")
    np.testing.assert_array_equal(decode_pixels(whole + tail), decode_pixels(whole))


def test_a_preview_s_end_is_not_the_image_s():
    whole = encoded(".jpg")
    preview = encoded(".jpg", PICTURE[:16, :16])
    content = whole[:2] + b"\xff\xe2" + struct.pack(">H", len(preview) + 2) + preview + whole[2:]
    np.testing.assert_array_equal(decode_pixels(content), decode_pixels(whole))
    with pytest.raises(EncodedImageError, match="truncated"):
        decode_pixels(content[: len(content) // 2])


def test_cameras_that_send_no_tables_or_leave_bytes_over_are_read():
    whole = encoded(".jpg")
    bare = whole
    while (place := bare.find(b"\xff\xc4", 0, 1000)) >= 0:  # as MJPEG cameras do
        bare = bare[:place] + bare[place + 2 + struct.unpack_from(">H", bare, place + 2)[0] :]
    assert len(bare) < len(whole) - 400
    np.testing.assert_array_equal(decode_pixels(bare), decode_pixels(whole))
    np.testing.assert_array_equal(decode_pixels(whole[:-2] + b"\0\1\2" + whole[-2:]), decode_pixels(whole))
    between = whole.index(b"\xff\xdb")
    np.testing.assert_array_equal(decode_pixels(whole[:between] + bytes(600) + whole[between:]), decode_pixels(whole))
    restarts = encoded(".jpg", PICTURE, cv2.IMWRITE_JPEG_RST_INTERVAL, 4)
    mark = restarts.index(b"\xff\xd3")
    untidy = restarts[:mark] + b"\1\2\3\4" + restarts[mark:]
    np.testing.assert_array_equal(decode_pixels(untidy), decode_pixels(restarts))


@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 4)])
@pytest.mark.parametrize("grey", [False, True])
def test_kinds_of_jpeg_are_read(options, grey):
    pixels = cv2.cvtColor(PICTURE, cv2.COLOR_BGR2GRAY) if grey else PICTURE
    assert np.abs(decode_pixels(encoded(".jpg", pixels, *options)).astype(int) - pixels).mean() < 4


def test_a_black_picture_is_no_damage():
    for optimise in (0, 1):
        black = np.zeros((480, 640), np.uint8)
        assert not decode_pixels(encoded(".jpg", black, cv2.IMWRITE_JPEG_OPTIMIZE, optimise)).any()


def damaged(content, kind):
    """Bytes of the middle lost to zeros, to others or altogether, as a link loses them."""
    middle = len(content) // 2
    noise = np.random.default_rng(1).integers(0, 256, 512, np.uint8).tobytes()
    return content[:middle] + {"zeros": bytes(512), "noise": noise, "gap": b""}[kind] + content[middle + 512 :]


@pytest.mark.parametrize("kind", ["zeros", "noise", "gap"])
@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_RST_INTERVAL, 4), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)])
def test_a_jpeg_that_is_damaged_in_the_middle_is_refused(kind, options):
    pytest.importorskip("simplejpeg")
    content = damaged(encoded(".jpg", PICTURE, *options), kind)
    assert cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) is not None
    with pytest.raises(EncodedImageError, match="damaged"):
        decode_pixels(content)


def test_zeros_in_a_jpeg_are_told_without_simplejpeg(monkeypatch):
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    assert decode_pixels(encoded(".jpg")).shape == PICTURE.shape
    with pytest.raises(EncodedImageError, match="a part of the picture is zeros"):
        decode_pixels(damaged(encoded(".jpg"), "zeros"))


@pytest.mark.parametrize("kind", ["zeros", "noise", "gap"])
def test_a_damaged_png_is_refused(kind):
    with pytest.raises(EncodedImageError, match="damaged"):
        decode_pixels(damaged(encoded(".png"), kind))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_every_truncation_is_refused(suffix):
    whole = encoded(suffix)
    for end in [*range(40), *range(40, len(whole) - 1, len(whole) // 50)]:
        with pytest.raises(EncodedImageError, match=r"empty|end in the header|truncated|not an image"):
            decode_pixels(whole[:end])


def huge_png(side):
    small = encoded(".png")
    header = b"IHDR" + struct.pack(">II", side, side) + small[24:29]
    return small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]


def huge_webp(side, kind):
    size = [side - 1 & 0xFF, side - 1 >> 8 & 0xFF, 0]
    body = {
        b"VP8X": bytes(4) + bytes(size) * 2,
        b"VP8L": b"\x2f" + struct.pack("<I", side - 1 | (side - 1) << 14),
        b"VP8 ": bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", side, side),
    }[kind]
    return b"RIFF" + struct.pack("<I", 12 + len(body)) + b"WEBP" + kind + struct.pack("<I", len(body)) + body


def huge_tiff(side, order):
    tags = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, side) for tag in (256, 257))
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, 2) + tags


@pytest.mark.parametrize(
    ("content", "side"),
    [
        (huge_jpeg(30000), 30000),
        (with_orientation(huge_jpeg(30000)), 30000),
        (huge_png(30000), 30000),
        *[(huge_webp(16000, kind), 16000) for kind in (b"VP8X", b"VP8L", b"VP8 ")],
        *[(huge_tiff(30000, order), 30000) for order in "<>"],
    ],
)
def test_a_size_that_no_camera_has_is_refused_by_the_header(content, side):
    with pytest.raises(EncodedImageError, match=f"declare {side}x{side} pixels, {MAX_PIXELS:,} are the most"):
        check_whole(content)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".bmp", ".ppm"])
def test_the_largest_size_is_above_those_of_cameras(suffix):
    assert decode_pixels(encoded(suffix, PICTURE)).shape == PICTURE.shape
    assert MAX_PIXELS > 8192 * 6144


@pytest.mark.parametrize(
    "content", [b"", bytes(100), b"not an image", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF", b"II*\0"]
)
def test_what_is_no_image_is_refused(content):
    with pytest.raises(EncodedImageError):
        decode_pixels(content)
