# SPDX-License-Identifier: Apache-2.0
"""Bags: damage is reported with the bag's name, nothing half-written is left behind."""

from __future__ import annotations

import numpy as np
import pytest
from depth_replay.bags.bag import bag_span_ns, bag_topics, read_bag
from depth_replay.bags.contents import BagError, BagTopic
from depth_replay.bags.writer import BagWriter
from depth_replay.messages.definitions import STRING, TYPES, header_stamp_ns, knows_type, serialize
from depth_replay.messages.image_codec import ImageError, header, image_array, image_message
from ruamel.yaml import YAML


def text_bag(path, count=200, zstd=True):
    with BagWriter(path, zstd=zstd) as writer:
        writer.add_topic("/text", STRING)
        for i in range(count):
            writer.write("/text", 1000 + i, serialize(TYPES.types[STRING](data=f"{i} " + "padding" * 2000)))
    return path


@pytest.mark.parametrize("keep", [0, 5, 40])
def test_a_bag_without_a_whole_message_names_itself(tmp_path, keep):
    path = text_bag(tmp_path / "cut_here.mcap")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BagError, match=r"cut_here.mcap"):
        list(read_bag(path))


@pytest.mark.parametrize("keep", [0.5, 0.999])
def test_a_cut_bag_is_read_up_to_the_cut_after_a_warning(tmp_path, keep, caplog):
    path = text_bag(tmp_path / "cut_here.mcap", count=400, zstd=False)
    whole = list(read_bag(path))
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    found = list(read_bag(path))
    # A chunk holds a megabyte, some 70 of these messages; what lies before the cut's chunk is all there.
    assert keep * 400 - 140 < len(found) <= keep * 400 + 1
    assert found == whole[: len(found)]
    assert "cut_here.mcap was not finished" in caplog.text
    assert bag_topics(path) == {"/text": BagTopic("/text", STRING, len(found), latched=False)}
    assert bag_span_ns(path) == (1000, 1000 + len(found) - 1)


def test_metadata_that_states_other_qos_than_the_file_hides_no_message(tmp_path):
    folder = text_bag(tmp_path / "talker", count=20)
    yaml, path = YAML(typ="safe"), folder / "metadata.yaml"
    metadata = yaml.load(path.read_text())
    (topic,) = metadata["rosbag2_bagfile_information"]["topics_with_message_count"]
    assert topic["topic_metadata"]["offered_qos_profiles"]
    topic["topic_metadata"]["offered_qos_profiles"] = ""
    with path.open("w") as file:
        yaml.dump(metadata, file)
    assert len(list(read_bag(folder))) == 20
    assert bag_topics(folder)["/text"].count == 20


def test_a_folder_that_lost_its_metadata_is_read_from_its_only_file(tmp_path, caplog):
    folder = text_bag(tmp_path / "bag", count=5)
    (folder / "metadata.yaml").unlink()
    assert len(list(read_bag(folder))) == 5
    assert "has no metadata.yaml" in caplog.text


def test_damage_inside_a_chunk_names_the_bag(tmp_path):
    path = text_bag(tmp_path / "flipped.mcap")
    content = bytearray(path.read_bytes())
    content[300:360] = bytes(60)
    path.write_bytes(content)
    with pytest.raises(BagError, match=r"flipped.mcap"):
        list(read_bag(path))


def test_a_folder_without_metadata_names_itself(tmp_path):
    (tmp_path / "empty_folder").mkdir()
    with pytest.raises(BagError, match=r"metadata.yaml at .*empty_folder, got none and 0 bag files"):
        bag_topics(tmp_path / "empty_folder")


def test_a_bag_without_messages_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(BagError, match=r"nothing.mcap, got none"), BagWriter(tmp_path / "nothing.mcap"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_error_while_writing_leaves_nothing(tmp_path):
    with pytest.raises(BagError, match=r"definition of no_msgs/msg/Such"), BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/text", "no_msgs/msg/Such")
    assert list(tmp_path.iterdir()) == []


def test_the_stamp_is_read_from_the_bytes():
    message = image_message(image_array_of(3), "mono8", header(1_234_567_890_123_456_789, "cam"))
    assert header_stamp_ns(serialize(message)) == 1_234_567_890_123_456_789


def image_array_of(value):
    return np.full((5, 7), value, np.uint8)


def test_padded_rows_and_big_endian_pixels_are_read_as_cv_bridge_reads_them():
    rows = np.zeros((2, 10), np.uint8)
    rows[:, :6] = [[1, 0, 2, 0, 3, 0], [4, 0, 5, 0, 6, 1]]
    message = TYPES.types["sensor_msgs/msg/Image"](header(0, ""), 2, 3, "mono16", 1, 10, rows.reshape(-1))
    np.testing.assert_array_equal(image_array(message), [[256, 512, 768], [1024, 1280, 1537]])


def test_an_unknown_encoding_lists_the_known_ones():
    message = image_message(image_array_of(1), "mono8", header(0, ""))
    message.encoding = "nv24"
    with pytest.raises(ImageError, match=r"mono16.*got 'nv24'"):
        image_array(message)


def test_types_outside_the_store_are_read_from_a_ros_installation(tmp_path, monkeypatch):
    folder = tmp_path / "share" / "robot_msgs" / "msg"
    folder.mkdir(parents=True)
    (folder / "Wheel.msg").write_text("std_msgs/Header header\nfloat64 speed\n")
    (folder / "Robot.msg").write_text("robot_msgs/Wheel[] wheels\n")
    assert not knows_type("robot_msgs/msg/Robot")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert knows_type("robot_msgs/msg/Robot")
    assert not knows_type("robot_msgs/msg/Arm")
