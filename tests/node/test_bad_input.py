# SPDX-License-Identifier: Apache-2.0
"""Bad messages cost their frame, are counted and explained, and never take the node down."""

import numpy as np
import pytest
from sensor_msgs.msg import Image
from stereo_messages import CY, FX, FY, HEIGHT, WIDTH, make_compressed, make_image, make_info, scene, stamp_of


@pytest.fixture(scope="module")
def raw(start_for_module):
    return start_for_module()


@pytest.fixture(scope="module")
def compressed(start_for_module):
    return start_for_module(compressed=True)


def count(rig, cause):
    return int(rig.status.get(f"dropped: {cause}", 0))


def assert_costs_one_frame(node, cause, words, send):
    """send(stamp) publishes the bad pair: it is counted once under its cause, explained, and the next pair is fine."""
    process, rig = node
    rig.wait(lambda: bool(rig.status), "diagnostics")
    before = count(rig, cause)
    send(rig.next_stamp())
    rig.wait(lambda: count(rig, cause) == before + 1, f"'{cause}' to be counted")
    explanation = rig.status["last problem"]
    for word in words:
        assert word in explanation
    rig.wait(lambda: f"frame lost ({cause})" in process.log, "the loss in the log")
    rig.message_of("disparity", rig.send_scene(*scene(seed=1)))
    assert process.alive


def send_raw(rig, stamp, left=None, right=None, left_info=None, right_info=None):
    """A pair with some messages replaced; every message gets the stamp."""
    pair = scene()
    messages = (
        left or make_image(pair[0]),
        right or make_image(pair[1]),
        left_info or make_info("left"),
        right_info or make_info("right"),
    )
    for message in messages:
        message.header.stamp.sec, message.header.stamp.nanosec = stamp_of(stamp)
    rig.send(*messages)


def send_cut(rig, stamp, cut, suffix=".png"):
    """A compressed pair whose files are cut to file[:cut]."""
    left, right = (make_compressed(pixels, stamp, suffix, cut) for pixels in scene())
    rig.send(left, right, make_info("left", stamp_s=stamp), make_info("right", stamp_s=stamp))


def test_unknown_encoding(raw):
    bad = make_image(scene()[0], encoding="nv24")
    words = ("nv24", "rgb8", "mono16", "left/image_rect")
    assert_costs_one_frame(raw, "encoding", words, lambda t: send_raw(raw[1], t, left=bad))


def test_frames_that_are_lost_are_a_warning_in_diagnostics(raw):
    _, rig = raw

    def warned():
        send_raw(rig, rig.next_stamp(), left=make_image(scene()[0], encoding="nv24"))
        return rig.happens(lambda: rig.status_level == b"\1" and "nv24" in rig.status_message, 0.2)

    rig.wait(warned, "the warning")


def test_step_smaller_than_a_row(raw):
    bad = make_image(scene()[1])
    bad.step = WIDTH * 3 - 1
    words = (f"step >= {WIDTH * 3}", f"got {WIDTH * 3 - 1}", "right/image_rect")
    assert_costs_one_frame(raw, "step", words, lambda t: send_raw(raw[1], t, right=bad))


def test_data_shorter_than_step_times_height(raw):
    bad = make_image(scene()[0])
    bad.data = bad.data[:-1]
    words = (str(WIDTH * 3 * HEIGHT), str(WIDTH * 3 * HEIGHT - 1))
    assert_costs_one_frame(raw, "size", words, lambda t: send_raw(raw[1], t, left=bad))


def test_image_without_pixels(raw):
    assert_costs_one_frame(raw, "size", ("0x0",), lambda t: send_raw(raw[1], t, left=Image(encoding="rgb8")))


def test_left_and_right_of_different_size(raw):
    bad = make_image(scene((HEIGHT, WIDTH - 32))[1])
    words = (f"{WIDTH}x{HEIGHT} left", f"{WIDTH - 32}x{HEIGHT} right")
    assert_costs_one_frame(raw, "size", words, lambda t: send_raw(raw[1], t, right=bad))


def test_camera_info_of_another_size(raw):
    bad = make_info("left", (HEIGHT * 2, WIDTH * 2))
    words = (f"{WIDTH}x{HEIGHT}", f"{WIDTH * 2}x{HEIGHT * 2}")
    assert_costs_one_frame(raw, "calibration", words, lambda t: send_raw(raw[1], t, left_info=bad))


@pytest.mark.parametrize(
    ("side", "numbers", "words"),
    [
        ("left", {"fx": 0.0}, ("focal", "fx 0")),
        ("right", {"fy": 0.0}, ("focal", "fy 0")),
        ("right", {"tx": 0.0}, ("baseline > 0", "got 0 m", "P[3] = 0 left and 0 right", "parameter baseline_m")),
        ("right", {"tx": FX * 0.1}, ("baseline > 0", "-0.1 m", "swapped")),
        ("left", {"cx": float("nan")}, ("finite", "left")),
        ("right", {"tx": float("nan")}, ("finite", "right")),
        ("right", {"fx": FX * 1.5}, ("one focal length",)),
        ("right", {"fx": FX * 1.0065}, ("one focal length", "not rectified")),
        ("right", {"fy": FY * 1.009}, ("one focal length", "not rectified")),
        ("right", {"cy": CY + 12}, ("one cy", f"{CY + 12}", "not rectified")),
        ("right", {"tx": -FX * 60}, ("got 60 m", f"{-FX * 60:g} right", "millimetres? then the baseline is 0.06 m")),
        ("right", {"tx": -FX * 8.95}, ("got 8.95 m", "centimetres? then the baseline is 0.0895 m")),
        ("right", {"tx": -0.0819}, ("the baseline itself", "0.0819 m", "min_baseline_m")),
    ],
)
def test_calibration_without_metric_depth(raw, side, numbers, words):
    bad = {f"{side}_info": make_info(side, **numbers)}
    assert_costs_one_frame(raw, "calibration", words, lambda t: send_raw(raw[1], t, **bad))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_truncated_compressed_image(compressed, suffix):
    words = ("truncated", "left/image_rect/compressed")
    assert_costs_one_frame(compressed, "compressed", words, lambda t: send_cut(compressed[1], t, -200, suffix))


def test_compressed_bytes_that_are_no_image(compressed):
    assert_costs_one_frame(compressed, "compressed", ("0 bytes",), lambda t: send_cut(compressed[1], t, 0))


@pytest.mark.parametrize("encoding", ["bgr8", "rgba8", "bgra8"])
def test_colour_orders_give_the_same_disparity(raw, encoding):
    rig = raw[1]
    left, right = scene(seed=7)
    order = {"bgr8": [2, 1, 0], "rgba8": [0, 1, 2, 0], "bgra8": [2, 1, 0, 0]}[encoding]
    stamp = rig.next_stamp()
    send_raw(
        rig,
        stamp,
        left=make_image(np.ascontiguousarray(left[..., order]), encoding),
        right=make_image(np.ascontiguousarray(right[..., order]), encoding),
    )
    message = rig.message_of("disparity", stamp)
    disparity = np.frombuffer(bytes(message.image.data), np.float32).reshape(HEIGHT, WIDTH)
    np.testing.assert_allclose(disparity, left[..., 0] / 2 - 3.5, atol=0.001)


@pytest.mark.parametrize("big_endian", [False, True])
def test_grey_images_of_8_and_16_bit_agree_with_their_rows_padded(raw, big_endian):
    """mono8 left with padded rows against mono16 of the same brightness in both byte orders."""
    rig = raw[1]
    grey = scene(seed=8)[0][..., 0]
    padded = np.zeros((HEIGHT, WIDTH + 5), np.uint8)
    padded[:, :WIDTH] = grey
    left8 = make_image(padded, "mono8")
    left8.width = WIDTH
    left16 = make_image((grey.astype(np.uint16) * 257).astype(">u2" if big_endian else "<u2"), "mono16")
    left16.is_bigendian = int(big_endian)
    for left in (left8, left16):
        stamp = rig.next_stamp()
        send_raw(rig, stamp, left=left, right=make_image(grey, "mono8"))
        message = rig.message_of("disparity", stamp)
        disparity = np.frombuffer(bytes(message.image.data), np.float32).reshape(HEIGHT, WIDTH)
        np.testing.assert_allclose(disparity, grey / 2 - 3.5, atol=0.001)
