# SPDX-License-Identifier: Apache-2.0
"""Input that is answered, but not without a word; and what the parameters set right."""

import numpy as np
import pytest
from node_process import NodeProcess
from stereo_messages import BASELINE_M, FRAME, FX, make_image, make_info, scene


def send(rig, stamp, left_info=None, right_info=None, frame_id=FRAME):
    """A good pair with other camera_infos, or another frame."""
    infos = left_info or make_info("left", stamp_s=stamp), right_info or make_info("right", stamp_s=stamp)
    messages = (*(make_image(pixels, stamp_s=stamp) for pixels in scene()), *infos)
    for message in messages:
        message.header.frame_id = frame_id
        message.header.stamp = messages[0].header.stamp
    rig.send(*messages)


def send_until(rig, condition, what, **other):
    """Send pairs until the condition holds; the stamp of the last one."""
    stamps = []

    def step():
        stamps.append(rig.next_stamp())
        send(rig, stamps[-1], **other)
        return rig.happens(condition, 0.2)

    rig.wait(step, what)
    return stamps[-1]


@pytest.mark.parametrize(("left_tx", "right_tx"), [(0.0, 0.0), (-47.9, -47.9), (0.0, FX * 0.1), (0.0, -42000.0)])
def test_baseline_m_stands_in_for_a_calibration_without_a_usable_one(start, left_tx, right_tx):
    _, rig = start(parameters={"baseline_m": 0.25})
    stamp = rig.next_stamp()
    send(rig, stamp, make_info("left", tx=left_tx), make_info("right", tx=right_tx))
    disparity = rig.message_of("disparity", stamp)
    assert (disparity.f, disparity.t) == (pytest.approx(FX), pytest.approx(0.25))


def test_a_baseline_beyond_the_usual_is_taken_where_the_range_says_so(start):
    _, rig = start(parameters={"max_baseline_m": 100.0})
    stamp = rig.next_stamp()
    send(rig, stamp, right_info=make_info("right", tx=-FX * 60))
    assert rig.message_of("disparity", stamp).t == pytest.approx(60)


def test_the_calibration_of_raw_images_is_a_warning(start):
    process, rig = start()
    raw = make_info("right")
    raw.k = [float(raw.p[i]) for i in (0, 1, 2, 4, 5, 6, 8, 9, 10)]
    send_until(
        rig, lambda: "the right camera_info says that its lens distorts" in rig.status_message, "it", right_info=raw
    )
    assert rig.status_level == b"\1"
    rig.wait(lambda: "P = K" in process.log, "the doubt in the log")
    rig.message_of("disparity", rig.send_scene(*scene()))
    rig.wait_for_status(2)
    assert "distorts" not in rig.status_message


def test_a_second_node_of_the_same_name_is_a_warning(start, probe_path, tmp_path):
    process, rig = start()
    namespace = rig.node.get_namespace()
    told = f"2 nodes are called {namespace}/stereo_node"
    twin = NodeProcess(tmp_path / "log.txt", {"model": probe_path, "autostart": False}, ("-r", f"__ns:={namespace}"))
    try:
        rig.wait(lambda: told in process.log, "the second node in the log")
        rig.wait(lambda: told in twin.log, "the first node in the second one's log")
    finally:
        twin.stop()
    seen = rig.statuses
    rig.wait(lambda: rig.statuses > seen + 1 and told not in rig.status_message, "the second node to be gone")


def test_a_result_without_depth_is_a_warning(start):
    """min_depth_m is beyond all that the pair shows."""
    process, rig = start(listen=("depth/image_rect",), parameters={"min_depth_m": 190.0, "max_depth_m": 191.0})
    stamp = send_until(rig, lambda: "of the pixels of the last" in rig.status_message, "the empty result")
    assert rig.status_level == b"\1"
    depth = np.frombuffer(bytes(rig.message_of("depth/image_rect", stamp).data), np.float32)
    assert float(rig.status["valid ratio"]) == pytest.approx(np.isfinite(depth).mean(), abs=1e-4)
    rig.wait(lambda: "only 0.0 % of the pixels" in process.log, "the warning in the log")


@pytest.mark.parametrize("frame_id", ["", "/camera_left"])
def test_a_frame_that_tf_does_not_know_is_a_warning(start, frame_id):
    process, rig = start()
    told = f"the outputs' frame_id is '{frame_id}'"
    stamp = send_until(rig, lambda: told in rig.status_message, "the frame", frame_id=frame_id)
    assert rig.message_of("disparity", stamp).header.frame_id == frame_id
    assert rig.status_level == b"\1"
    rig.wait(lambda: told in process.log, "the frame in the log")


def test_frame_id_is_the_frame_of_every_output(start):
    topics = ("disparity", "depth/image_rect", "depth/camera_info", "points")
    _, rig = start(listen=topics, parameters={"frame_id": "cam_optical"})
    stamp = rig.next_stamp()
    send(rig, stamp, frame_id="")
    for topic in topics:
        assert rig.message_of(topic, stamp).header.frame_id == "cam_optical", topic
    assert rig.message_of("disparity", stamp).image.header.frame_id == "cam_optical"
    assert rig.message_of("disparity", stamp).t == pytest.approx(BASELINE_M)
    rig.wait_for_status(2)
    assert rig.status_level == b"\0"
