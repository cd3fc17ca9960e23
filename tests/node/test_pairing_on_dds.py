# SPDX-License-Identifier: Apache-2.0
"""Which messages become a pair, and what the node says when none do."""

import re
import time

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from stereo_messages import HEIGHT, WIDTH, make_image, make_info, scene
from stereo_rig import CAMERAS


def send_with_stamps(rig, stamps):
    """A pair whose four messages carry the four stamps; None leaves a message out."""
    left, right = scene()
    makers = (
        lambda t: make_image(left, stamp_s=t),
        lambda t: make_image(right, stamp_s=t),
        lambda t: make_info("left", stamp_s=t),
        lambda t: make_info("right", stamp_s=t),
    )
    for topic, maker, stamp in zip(CAMERAS, makers, stamps, strict=True):
        if stamp is not None:
            rig.cameras[topic].publish(maker(stamp))


def keep_sending(rig, stamps_of, condition, what):
    """Publish at 10 Hz until the condition holds."""

    def step():
        send_with_stamps(rig, stamps_of(rig.next_stamp()))
        return rig.happens(condition, 0.1)

    rig.wait(step, what)


@pytest.mark.parametrize("missing", range(4))
def test_a_missing_topic_is_named(start, missing):
    process, rig = start(connected=False)
    name = list(CAMERAS)[missing]
    others = [other for other in CAMERAS if other != name]

    def named():  # topics that have spoken are not named any more
        text = rig.status_message
        silent = f"no message yet on {rig.node.resolve_topic_name(name)}" in text
        return silent and not any(other in text for other in others)

    keep_sending(rig, lambda t: [None if i == missing else t for i in range(4)], named, f"{name} alone to be named")
    assert rig.status_level == b"\2"
    rig.wait(lambda: "no stereo pair for 2 s" in process.log, "the silence in the log")
    rig.warm_up()
    assert process.alive


def test_publishers_that_have_sent_nothing_are_told_as_that(start):
    _, rig = start(connected=False)
    rig.wait(lambda: "have sent nothing yet" in rig.status_message, "the silence of the publishers")
    names = ", ".join(rig.node.resolve_topic_name(topic) for topic in CAMERAS)
    assert f"{names}: the publishers have sent nothing yet" in rig.status_message
    assert "shared memory" not in rig.status_message


def test_published_images_that_never_arrive_point_to_the_dds_profile(start):
    """The driver runs, since camera_infos come; its images may get lost on the way."""
    _, rig = start(connected=False)
    keep_sending(
        rig,
        lambda t: [None, None, t, t],
        lambda: "image_rect: published but none arrives" in rig.status_message,
        "the loss to be explained",
    )
    assert "FASTRTPS_DEFAULT_PROFILES_FILE" in rig.status_message


def test_stamps_that_never_match_are_explained_with_their_difference(start):
    process, rig = start(connected=False)
    keep_sending(
        rig,
        lambda t: [t, t + 0.025, t, t],
        lambda: "right/image_rect +25.000 ms" in rig.status_message,
        "the difference of the stamps",
    )
    assert "stamps do not match" in rig.status_message
    assert "approximate_sync" in rig.status_message
    for side in ("left", "right"):
        keep_sending(
            rig,
            lambda t: [t, t + 0.025, t, t],
            lambda: int(rig.status[f"unpaired: {side}/image_rect"]) > 0,  # noqa: B023
            "the images to be given up",
        )
    assert process.alive


def test_camera_infos_with_other_stamps_point_to_the_cache(start):
    _, rig = start(connected=False)
    keep_sending(
        rig,
        lambda t: [t, t, 5.0, 5.0],
        lambda: "cache_camera_info" in rig.status_message,
        "cache_camera_info to be advised",
    )


def test_cached_camera_infos_serve_images_of_any_stamp(start):
    _, rig = start(parameters={"cache_camera_info": True})
    stamp = rig.next_stamp()
    send_with_stamps(rig, [stamp, stamp, 5.0, 5.0])
    rig.message_of("disparity", stamp)


def test_approximate_sync_pairs_within_its_tolerance_only(start):
    _, rig = start(parameters={"approximate_sync": True, "approximate_sync_tolerance_s": 0.02})
    near = rig.next_stamp()
    send_with_stamps(rig, [near, near + 0.015, near, near + 0.015])
    rig.message_of("disparity", near)
    far = [rig.next_stamp() for _ in range(5)]
    for stamp in far:
        send_with_stamps(rig, [stamp, stamp + 0.04, stamp, stamp + 0.04])
    rig.message_of("disparity", rig.send_scene(*scene()))
    assert not any(rig.answered("disparity", stamp) for stamp in far)


def test_a_looped_bag_goes_on_being_answered(start):
    process, rig = start()
    late = rig.next_stamp() + 50
    rig.send_scene(*scene(), late)
    rig.message_of("disparity", late)
    for early in (10.0, 10.1, 10.2):
        rig.send_scene(*scene(), early)
        rig.message_of("disparity", early)
    rig.wait(lambda: rig.status.get("time jumps", "0") != "0", "the jump to be counted")
    rig.wait(lambda: "stamps went back" in process.log, "the jump in the log")


def test_an_incompatible_publisher_is_named_with_its_policy(start):
    """The node is told to ask for reliable images; the camera offers best effort."""
    best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    process, rig = start(
        connected=False,
        input_qos=best_effort,
        qos_overrides={"left/image_rect": {"subscription.reliability": "reliable"}},
    )
    rig.wait(lambda: int(rig.status.get("dropped: incompatible QoS", 0)) > 0, "the QoS event")
    rig.wait(lambda: "(RELIABILITY)" in process.log, "the QoS event in the log")
    assert "left/image_rect offers an incompatible QoS" in process.log
    # One topic's override is not another's: the other three take best effort.
    assert "right/image_rect offers" not in process.log
    assert rig.status["dropped: incompatible QoS"] == "1"
    assert process.alive


def test_pairs_older_than_max_age_are_dropped_with_their_age(start):
    process, rig = start(connected=False, parameters={"max_age_s": 5.0})
    keep_sending(
        rig,  # stamps of 1970, far older than 5 s
        lambda t: [t] * 4,
        lambda: int(rig.status.get("dropped: too old", 0)) > 0,
        "old pairs to be dropped",
    )
    assert not rig.received["disparity"]
    assert rig.status_level == b"\1"
    age_s = float(re.search(r"stamp was ([0-9.]+) s old by the node's system clock", rig.status_message)[1])
    assert age_s == pytest.approx(time.time() - 100, abs=1000)
    assert "use_sim_time" in rig.status_message
    rig.wait(lambda: "frame lost (too old)" in process.log, "the age in the log")


def test_a_camera_clock_an_hour_behind_is_told(start):
    _, rig = start(connected=False, parameters={"max_age_s": 5.0})
    keep_sending(
        rig,
        lambda t: [time.time() - 3600] * 4,
        lambda: "stamp was 360" in rig.status_message and "set the clock of the camera" in rig.status_message,
        "the hour to be told",
    )


def test_a_camera_clock_ahead_is_told(start):
    _, rig = start()
    keep_sending(
        rig,
        lambda t: [time.time() + 3600] * 4,
        lambda: re.search(r"stamps lie 3(600|59\d) s ahead of the node's system clock", rig.status_message),
        "the hour to be told",
    )
    assert rig.status_level == b"\1"


def test_simulated_time_that_jumps_back_clears_what_waits(start):
    """use_sim_time with a /clock that starts again, as `ros2 bag play --clock --loop` does."""
    _, rig = start(parameters={"use_sim_time": True})
    clock = rig.node.create_publisher(Clock, "/clock", 10)

    def tick(seconds):
        """Publish this time until the node's diagnostics carry it."""

        def told():
            clock.publish(Clock(clock=Time(sec=seconds)))
            return rig.happens(lambda: rig.status_stamp_s == seconds, 0.5)

        rig.wait(told, f"the node's clock to be at {seconds} s")

    def count(what):
        return int(rig.status[f"{what}: left/image_rect"])

    tick(500)
    unpaired, received = count("unpaired"), count("received")
    rig.cameras["left/image_rect"].publish(make_image(scene()[0], stamp_s=rig.next_stamp()))
    rig.wait(lambda: count("received") > received, "the image to arrive")
    tick(501)
    assert count("unpaired") == unpaired
    tick(3)
    rig.wait(lambda: count("unpaired") > unpaired, "the waiting image to be given up")
    rig.message_of("disparity", rig.send_scene(*scene()))


def test_a_lost_image_does_not_shift_the_pairs_that_follow_it(start):
    """30 Hz, and a tolerance above the interval: each disparity is that of its own left image, and of no other."""
    settings = {"approximate_sync": True, "approximate_sync_tolerance_s": 0.05, "cache_camera_info": True}
    process, rig = start(listen=("confidence",), parameters=settings)
    begin = rig.next_stamp()
    for frame in range(30):
        # The probe's disparity and confidence are those of one image each: here both say which frame it is.
        pictures = [np.full((HEIGHT, WIDTH, 3), frame, np.uint8) for _ in "lr"]
        stamp = begin + frame / 30
        if frame != 7:
            rig.cameras["left/image_rect"].publish(make_image(pictures[0], stamp_s=stamp))
        rig.cameras["right/image_rect"].publish(make_image(pictures[1], stamp_s=stamp))
        if frame != 7:
            message = rig.message_of("confidence", stamp)
            confidence = np.frombuffer(bytes(message.data), np.float32)
            np.testing.assert_allclose(confidence, frame / 255, atol=1e-6)
    rig.wait(lambda: "approximate_sync_tolerance_s is 0.05, more than half" in rig.status_message, "the tolerance")
    assert rig.status_level == b"\1"
    rig.wait(lambda: "more than half of the 0.0333 s between frames" in process.log, "the tolerance in the log")


def test_a_slow_camera_info_is_told_with_its_remedy(start):
    process, rig = start()
    turns = iter(range(10**6))
    keep_sending(
        rig,
        # Often enough that even a busy machine's pairs are no two seconds apart: that would be silence.
        lambda t: [t, t, t, t] if next(turns) % 4 == 0 else [t, t, None, None],
        lambda: "left/camera_info, which sent" in rig.status_message,
        "the slow camera_info to be named",
    )
    assert rig.status_level == b"\1"
    assert "set cache_camera_info" in rig.status_message
    rig.wait(lambda: "left/camera_info, which sent" in process.log, "the slow camera_info in the log")


@pytest.mark.parametrize("cached", [False, True])
def test_late_right_images_are_told_not_the_camera_info(start, cached):
    _, rig = start(connected=False, parameters={"cache_camera_info": cached})
    rig.wait_for_node()
    turns = iter(range(10**6))
    keep_sending(
        rig,
        lambda t: [t, t + 0.03, *((t, t) if not cached or next(turns) < 10 else (None, None))],
        lambda: "right/image_rect +30.000 ms" in rig.status_message,
        "the difference of the images' stamps",
    )
    assert "set approximate_sync" in rig.status_message
    assert "cache_camera_info" not in rig.status_message
    assert not cached or "camera_info" not in rig.status_message


@pytest.mark.parametrize("stamp", [0.0, 77.5])
def test_stamps_that_stand_still_are_told(start, stamp):
    process, rig = start()
    keep_sending(
        rig, lambda t: [stamp] * 4, lambda: "repeat the stamp of the one before" in rig.status_message, "the stamps"
    )
    assert rig.status_level == b"\1"
    rig.wait(lambda: f"now {stamp:.9f} s" in process.log, "the stamps in the log")
