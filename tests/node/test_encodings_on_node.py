# SPDX-License-Identifier: Apache-2.0
"""The running node on what cameras send: mosaics, YUV, some bits of sixteen, JPEGs with a tail or a turn.

The probe predicts half of the left image's red, less the 3.5 px between the principal points.
"""

import cv2
import numpy as np
import pytest
from encoded_images import encoded_as, huge_jpeg, turned_jpeg
from sensor_msgs.msg import CompressedImage
from stereo_messages import FRAME, HEIGHT, WIDTH, make_image, make_info, stamp_of


@pytest.fixture(scope="module")
def raw(start_for_module):
    return start_for_module()


@pytest.fixture(scope="module")
def compressed(start_for_module):
    return start_for_module(compressed=True)


# Fields of one colour, in which a mosaic is exact but for the borders.
FIELDS = np.empty((HEIGHT, WIDTH, 3), np.uint8)
FIELDS[:, : WIDTH // 2], FIELDS[:, WIDTH // 2 :] = (200, 90, 40), (30, 160, 220)
INNER = np.s_[4:-4, [20, WIDTH - 20]]


def disparity(rig, left, right):
    stamp_s = rig.next_stamp()
    for message in (left, right):
        message.header.stamp.sec, message.header.stamp.nanosec = stamp_of(stamp_s)
        message.header.frame_id = FRAME
    rig.send(left, right, make_info("left", stamp_s=stamp_s), make_info("right", stamp_s=stamp_s))
    message = rig.message_of("disparity", stamp_s)
    return np.frombuffer(bytes(message.image.data), np.float32).reshape(HEIGHT, WIDTH)


def messages(encoding):
    pair = [make_image(encoded_as(FIELDS, encoding), encoding) for _ in range(2)]
    for message in pair:
        message.height = HEIGHT
    return pair


@pytest.mark.parametrize("encoding", ["bayer_rggb8", "bayer_gbrg16", "yuv422_yuy2", "uyvy", "nv12", "8UC3", "rgb16"])
def test_colours_arrive(raw, encoding):
    answered = disparity(raw[1], *messages(encoding))
    np.testing.assert_allclose(answered[INNER], (FIELDS[..., 0] / 2 - 3.5)[INNER], atol=1.0)


def test_ten_bits_of_sixteen_are_found_and_said_once(start):
    process, rig = start()
    grey = np.linspace(0, 1023, WIDTH).astype(np.uint16)[None].repeat(HEIGHT, 0)
    for factor in (1.0, 0.2, 1.0):
        pair = [make_image((grey * factor).astype(np.uint16), "mono16") for _ in range(2)]
        answered = disparity(rig, *pair)
        np.testing.assert_allclose(answered, grey * factor * 255 / 1023 / 2 - 3.5, atol=0.6)
    rig.wait(lambda: "10 of 16 bits are in use" in process.log, "the bits in the log")
    assert process.log.count("10 of 16 bits are in use") == 1
    assert "up to 1023" in process.log


@pytest.mark.parametrize(
    ("change", "name"), [(lambda file: file + b"\1\2\3\4", "tail"), (lambda _: turned_jpeg(FIELDS[..., ::-1]), "turn")]
)
def test_jpegs_with_a_tail_or_a_turn_are_as_stored(compressed, change, name):
    file = change(cv2.imencode(".jpg", FIELDS[..., ::-1])[1].tobytes())
    pair = [CompressedImage(format="rgb8; jpeg compressed bgr8", data=file) for _ in range(2)]
    answered = disparity(compressed[1], *pair)
    np.testing.assert_allclose(answered[INNER], (FIELDS[..., 0] / 2 - 3.5)[INNER], atol=2.0)


def test_a_jpeg_of_colour_from_a_mosaic_keeps_its_colour(compressed):
    file = cv2.imencode(".png", FIELDS[..., ::-1])[1].tobytes()
    pair = [CompressedImage(format="bayer_rggb8; png compressed bgr8", data=file) for _ in range(2)]
    answered = disparity(compressed[1], *pair)
    np.testing.assert_allclose(answered, FIELDS[..., 0] / 2 - 3.5, atol=0.001)


def lost(node, cause, left, words):
    """The frame of this left image is lost for this cause, told in words; the next one is answered."""
    process, rig = node
    rig.wait(lambda: bool(rig.status), "diagnostics")
    before = int(rig.status.get(f"dropped: {cause}", 0))
    stamp_s = rig.next_stamp()
    right = type(left)(format=left.format, data=left.data) if isinstance(left, CompressedImage) else messages("rgb8")[1]
    for message in (left, right):
        message.header.stamp.sec, message.header.stamp.nanosec = stamp_of(stamp_s)
    rig.send(left, right, make_info("left", stamp_s=stamp_s), make_info("right", stamp_s=stamp_s))
    rig.wait(lambda: int(rig.status.get(f"dropped: {cause}", 0)) == before + 1, f"'{cause}' to be counted")
    told = rig.status["last problem"]
    assert len(told) < 1500
    for word in words:
        assert word in told
    assert process.alive


def test_a_jpeg_that_declares_a_huge_size_costs_its_frame_and_no_memory(compressed):
    process, _ = compressed
    lost(compressed, "compressed", CompressedImage(format="jpeg", data=huge_jpeg(30000)), ("30000x30000", "64,000,000"))
    with open(f"/proc/{process.process.pid}/status") as status:
        peak_kb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    assert peak_kb < 1_500_000


def test_a_jpeg_that_is_damaged_in_the_middle_costs_its_frame(compressed):
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    file = cv2.imencode(".jpg", noise)[1].tobytes()
    middle = len(file) // 2
    damaged = file[:middle] + bytes(512) + file[middle + 512 :]
    lost(compressed, "compressed", CompressedImage(format="jpeg", data=damaged), ("damaged", "zeros"))


def test_an_encoding_of_a_million_letters_is_told_in_a_line(raw):
    left = messages("rgb8")[0]
    left.encoding = "y" * 1_000_000
    lost(raw, "encoding", left, ("yyy'... (1000000 characters)",))
