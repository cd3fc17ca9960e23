# SPDX-License-Identifier: Apache-2.0
"""Ways in which drivers publish what the node needs: latched, seldom, compressed; and overrides of its QoS."""

import pytest
from node_process import NodeProcess
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage
from stereo_messages import make_compressed, make_image, make_info, scene
from stereo_rig import CAMERAS, LATCHED

INFOS = [topic for topic in CAMERAS if topic.endswith("camera_info")]
IMAGES = [topic for topic in CAMERAS if topic.endswith("image_rect")]
DURABILITIES = [None, "transient_local", "volatile"]


def publish_infos_latched(rig, qos):
    """Both camera_infos, once, by publishers that come before the node."""
    for topic in INFOS:
        rig.node.destroy_publisher(rig.cameras[topic])
        rig.cameras[topic] = rig.node.create_publisher(CAMERAS[topic], topic, qos)
        rig.cameras[topic].publish(make_info(topic.split("/")[0]))


def send_images(rig, stamp):
    for topic, pixels in zip(IMAGES, scene(), strict=True):
        rig.cameras[topic].publish(make_image(pixels, stamp_s=stamp))


@pytest.mark.parametrize("durability", DURABILITIES)
def test_camera_infos_that_are_latched_once_serve_every_image(start, durability):
    overrides = {topic: {"subscription.durability": durability} for topic in INFOS if durability}
    overrides |= {topic: {"subscription.reliability": "reliable", "subscription.depth": 20} for topic in IMAGES}
    _, rig = start(
        connected=False,
        parameters={"cache_camera_info": True},
        qos_overrides=overrides,
        before=lambda rig: publish_infos_latched(rig, LATCHED),
    )
    rig.wait_for_node()
    rig.wait(lambda: all(int(rig.status.get(f"received: {topic}", 0)) for topic in INFOS), "the latched calibration")
    stamps = [rig.next_stamp() for _ in range(5)]
    for stamp in stamps:
        send_images(rig, stamp)
        rig.message_of("disparity", stamp)
    rig.wait_for_status()
    assert [rig.status[f"received: {topic}"] for topic in INFOS] == ["1", "1"]


@pytest.mark.parametrize("reliability", [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT])
def test_camera_infos_of_latching_publishers_count_once_each(start, reliability):
    """Two subscriptions hear such a publisher; best effort is heard by one."""
    qos = QoSProfile(depth=10, reliability=reliability, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    overrides = {topic: {"subscription.reliability": "reliable", "subscription.depth": 20} for topic in IMAGES}
    process, rig = start(qos_overrides=overrides, before=lambda rig: publish_infos_latched(rig, qos))
    for _ in range(10):
        rig.ask("disparity", *scene())
    rig.wait_for_status(2)
    for topic in INFOS:
        assert 0 < int(rig.status[f"received: {topic}"]) <= int(rig.status["received: left/image_rect"]) + 1
    assert "incompatible QoS" not in process.log


def test_a_durability_override_is_heeded(start):
    """The publishers are volatile, so a subscription that insists on latched messages is told about."""
    process, rig = start(connected=False, qos_overrides={INFOS[0]: {"subscription.durability": "transient_local"}})
    rig.wait(lambda: "(DURABILITY)" in process.log, "the QoS event in the log")
    assert f"{INFOS[0]} offers an incompatible QoS" in process.log
    assert f"{INFOS[1]} offers" not in process.log
    rig.wait(lambda: rig.status.get("dropped: incompatible QoS") == "1", "the QoS event in diagnostics")


@pytest.mark.parametrize(
    "name",
    [
        "/left/image_rekt.subscription.reliability",
        "/left/image_rect.subscriber.reliability",
        "/left/image_rect.subscription.reliabilty",
        "/left/image_rect.publisher.reliability",
        "/disparity.subscription.depth",
        "left/image_rect.subscription.reliability",
    ],
)
def test_an_override_of_nothing_is_refused_with_what_there_is(tmp_path, probe_path, name):
    node = NodeProcess(tmp_path / "log.txt", {"model": probe_path, f"qos_overrides.{name}": "reliable"})
    assert node.process.wait(60) == 2
    assert f"got qos_overrides.{name}" in node.log
    assert "/left/image_rect.subscription" in node.log
    assert "/disparity.publisher" in node.log
    assert "Traceback" not in node.log


@pytest.mark.parametrize("compressed", [False, True])
def test_auto_takes_the_images_that_are_published(start, compressed):
    _, rig = start(parameters={"image_transport": "auto"}, compressed=compressed)
    rig.message_of("disparity", rig.send_scene(*scene()))


def test_auto_follows_a_driver_that_comes_back_with_another_transport(start):
    process, rig = start(parameters={"image_transport": "auto"})
    for topic, publisher in [*rig.cameras.items()]:
        if topic in IMAGES:
            rig.node.destroy_publisher(publisher)
            name = f"{topic}/compressed"
            rig.cameras[name] = rig.node.create_publisher(CompressedImage, name, 10)
            del rig.cameras[topic]
    rig.wait(lambda: "right/image_rect/compressed is published: subscribed to it" in process.log, "the other transport")
    rig.wait_for_node()

    def answered():
        stamp = rig.next_stamp()
        images = (make_compressed(pixels, stamp) for pixels in scene())
        rig.send(*images, make_info("left", stamp_s=stamp), make_info("right", stamp_s=stamp))
        return rig.happens(lambda: rig.answered("disparity", stamp), 3.0)

    rig.wait(answered, "compressed images to be answered")


def test_compressed_images_beside_a_node_that_waits_for_raw_ones_are_named(start):
    process, rig = start(connected=False, compressed=True, parameters={"image_transport": "raw"})
    told = (
        f"{rig.node.resolve_topic_name('left/image_rect')}/compressed is published: set image_transport to compressed"
    )
    rig.wait(lambda: told in rig.status_message, "the images that are there")
    rig.wait(lambda: told in process.log, "the images that are there, in the log")
