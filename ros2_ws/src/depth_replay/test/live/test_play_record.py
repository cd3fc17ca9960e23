# SPDX-License-Identifier: Apache-2.0
"""play and record over real DDS: bytes, stamps and order survive; rates, loops and clock are as asked."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from functools import partial

import numpy as np
import pytest

pytest.importorskip("rclpy")

from depth_replay.bags.bag import bag_topics, read_bag
from depth_replay.bags.writer import BagWriter, DiskFullError
from depth_replay.cli import main
from depth_replay.live.recorder import RecordOptions, WriterThread, record
from depth_replay.messages import topics
from depth_replay.messages.definitions import STRING, TYPES, deserialize, header_stamp_ns, serialize
from depth_replay.messages.image_codec import compress, decompress, header, image_message
from depth_runtime.command_line import INTERRUPTED
from encoded_images import encoded_as

TEXT = serialize(TYPES.types[STRING](data="1234567"))
# Far beyond what the slowest and busiest machine needs: only a program that hangs meets it.
HANGS_S = 300
WAIT = ("--wait-for-subscribers", str(HANGS_S))

pytestmark = pytest.mark.usefixtures("own_domain")


class Recording:
    """`depth_replay record` in a process of its own, which listens when this returns."""

    def __init__(self, out, *arguments):
        self.out = out
        command = [sys.executable, "-m", "depth_replay", "record", "--out", str(out), *arguments]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said = self.process.stderr.readline()
        while "Ctrl-C ends it" not in self.said and self.process.poll() is None:
            self.said += self.process.stderr.readline()

    def finish(self, number=signal.SIGINT):
        """End it with a signal; its exit code and what it said. What was acknowledged to the player is recorded."""
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=HANGS_S)
        return self.process.returncode, self.said + output + errors

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def contents(bag, names):
    """Bytes of each topic in order."""
    found = {name: [] for name in names}
    for message in read_bag(bag, names):
        found[message.topic].append(message.data)
    return found


@pytest.fixture(scope="module")
def bag(tmp_path_factory, sequences):
    """Four raw frames at 10 Hz with truth and latched labels."""
    folder = tmp_path_factory.mktemp("bag")
    source = sequences.plain(folder / "source", count=4)
    assert main(["images-to-bag", str(source), "--out", str(folder / "bag"), "--compress", "none"]) == 0
    return folder / "bag"


def test_a_recorded_play_keeps_bytes_stamps_and_order(bag, tmp_path, capsys):
    out, sent = tmp_path / "out.mcap", tmp_path / "sent.json"
    names = [*topics.INPUTS, topics.TRUTH_LABELS]
    wanted = [word for name in names for word in ("--topic", name)]
    with Recording(out, *wanted) as recording:
        arguments = ["--hz", "20", *WAIT, *wanted, "--report", str(sent)]
        assert main(["play", str(bag), *arguments]) == 0
        code, said = recording.finish()
    assert code == INTERRUPTED, said
    received, played = contents(out, names), contents(bag, names)
    for name in names:
        # DDS fills a message up to whole words of four bytes.
        padded = [data + bytes(-len(data) % 4) for data in played[name]]
        assert received[name] == padded, name
    assert bag_topics(out)[topics.TRUTH_LABELS].latched
    report = json.loads(sent.read_text())
    assert report["frames_sent"] == 4
    assert "sent 4 frames, 17 messages" in capsys.readouterr().out
    sent_ns = {frame["stamp_ns"]: frame["sent_ns"] for frame in report["frames"]}
    delays = [m.time_ns - sent_ns[header_stamp_ns(m.data)] for m in read_bag(out, {topics.RIGHT_IMAGE})]
    assert all(-50e6 < delay < HANGS_S * 1e9 for delay in delays), "receive times are wall times, as the send times"


def test_a_loop_sends_the_stamps_again_and_the_clock_follows_the_bag(bag, tmp_path):
    out = tmp_path / "out.mcap"
    with Recording(out, "--topic", topics.LEFT_INFO, "--topic", "/clock") as recording:
        arguments = ["--loop", "2", "--clock", "50", *WAIT, "--topic", topics.LEFT_INFO]
        assert main(["play", str(bag), *arguments]) == 0
        code, said = recording.finish(signal.SIGTERM)
    assert code == 0, said
    stamps = [header_stamp_ns(m.data) for m in read_bag(out, {topics.LEFT_INFO})]
    first = [header_stamp_ns(m.data) for m in read_bag(bag, {topics.LEFT_INFO})]
    assert stamps == first * 2
    clocks = [deserialize(m.data, m.msgtype).clock for m in read_bag(out, {"/clock"})]
    seconds = np.array([c.sec - first[0] // 10**9 + c.nanosec * 1e-9 for c in clocks])
    assert len(seconds) >= 8, "at least one a message"
    assert seconds.min() >= 0
    assert seconds.max() <= 0.4 + 1e-9, "never beyond the end of a loop, however late the next one starts"
    assert (np.diff(seconds) < 0).sum() == 1, "the clock goes back once, where the second loop starts"


def test_compressed_images_are_played_raw_under_the_image_topic(tmp_path, sequences):
    source = sequences.plain(tmp_path / "source", count=2)
    assert main(["images-to-bag", str(source), "--out", str(tmp_path / "bag"), "--compress", "png"]) == 0
    out = tmp_path / "out.mcap"
    with Recording(out, "--topic", "/cam/image") as recording:
        arguments = ["--transport", "raw", "--topic", topics.LEFT_IMAGE, *WAIT]
        assert main(["play", str(tmp_path / "bag"), *arguments, "--remap", "left/image_rect:=cam/image"]) == 0
        code, said = recording.finish()
    assert code == INTERRUPTED, said
    images = [deserialize(m.data, m.msgtype) for m in read_bag(out)]
    assert [image.encoding for image in images] == ["rgb8", "rgb8"]
    np.testing.assert_array_equal(images[1].data.reshape(24, 40, 3), sequences.picture(2)[..., ::-1])


def camera_bag(path, pictures):
    """A bag with one topic for each (topic, message)."""
    with BagWriter(path) as writer:
        for topic, made in pictures:
            writer.add_topic(topic, made.__msgtype__)
        for number in range(2):
            for topic, made in pictures:
                writer.write(topic, 10**9 + number * 10**8, serialize(made))
    return path


def test_a_bag_of_mosaics_numbers_and_damage_plays_compressed_to_its_end(tmp_path, capsys):
    mosaic = encoded_as(np.full((8, 8, 3), (200, 90, 40), np.uint8), "bayer_grbg8")
    broken = image_message(mosaic, "bayer_grbg8", header(1, "cam"))
    broken.step = 3
    pictures = [
        ("/left", image_message(mosaic, "bayer_grbg8", header(1, "cam"))),
        ("/depth", image_message(np.full((3, 4), 2.5), "32FC1", header(1, "cam"))),
        ("/broken", broken),
    ]
    played = camera_bag(tmp_path / "bag.mcap", pictures)
    out = tmp_path / "out.mcap"
    with Recording(
        out, "--topic", "/left/compressed", "--topic", "/depth", "--topic", "/broken/compressed"
    ) as recording:
        assert main(["play", str(played), "--transport", "compressed", *WAIT]) == 0
        code, said = recording.finish()
    assert code == INTERRUPTED, said
    received = [(m.topic, deserialize(m.data, m.msgtype)) for m in read_bag(out)]
    assert sorted(topic for topic, _ in received) == ["/depth"] * 2 + ["/left/compressed"] * 2
    colour, encoding = decompress(next(made for topic, made in received if topic == "/left/compressed"))
    assert encoding == "bgr8"
    np.testing.assert_allclose(colour[4, 4], (40, 90, 200), atol=4)
    assert capsys.readouterr().err.count("are not played: /broken: expected step >= 8") == 1


def test_a_bag_with_damaged_jpegs_plays_raw_to_its_end(tmp_path, capsys):
    grey = np.full((8, 8), 90, np.uint8)
    whole, cut = (compress(grey, "mono8", "jpeg", header(1, "cam")) for _ in range(2))
    cut.data = cut.data[:-20]
    played = camera_bag(tmp_path / "bag.mcap", [("/left/compressed", whole), ("/right/compressed", cut)])
    out = tmp_path / "out.mcap"
    with Recording(out, "--topic", "/left", "--topic", "/right") as recording:
        assert main(["play", str(played), "--transport", "raw", *WAIT]) == 0
        code, said = recording.finish()
    assert code == INTERRUPTED, said
    assert [m.topic for m in read_bag(out)] == ["/left"] * 2
    assert capsys.readouterr().err.count("are not played: /right/compressed: ") == 1


def test_nobody_listening_is_an_error_that_names_the_topics(bag, capsys):
    assert main(["play", str(bag), "--topic", topics.LEFT_IMAGE, "--wait-for-subscribers", "0.3"]) == 1
    assert "expected subscribers on ['/left/image_rect']" in capsys.readouterr().err


def test_topics_that_the_bag_does_not_have_are_named(bag, capsys):
    assert main(["play", str(bag), "--topic", "left/image_raw"]) == 1
    error = capsys.readouterr().err
    assert "'/left/image_raw'" in error
    assert "/left/image_rect" in error


def test_a_recording_of_nothing_fails_and_leaves_no_file(tmp_path):
    with Recording(tmp_path / "none.mcap", "--topic", "/nobody/publishes") as recording:
        code, said = recording.finish()
    assert code == 1
    assert "got none; no bag was written" in said
    assert list(tmp_path.iterdir()) == []


def test_messages_beyond_the_queue_are_counted_as_dropped(tmp_path):
    gate = threading.Event()

    class SlowWriter(BagWriter):
        def write(self, topic, time_ns, data):
            assert gate.wait(HANGS_S)
            super().write(topic, time_ns, data)

    sink = WriterThread(partial(SlowWriter, tmp_path / "slow.mcap"), queue_bytes=3 * len(TEXT))
    for i in range(10):
        sink.put("/text", "std_msgs/msg/String", False, 1000 + i, TEXT)
    gate.set()
    sink.finish()
    assert sink.dropped == {"/text": 7}
    assert [m.time_ns for m in read_bag(tmp_path / "slow.mcap")] == [1000, 1001, 1002]


@pytest.mark.parametrize("arguments", [("out.db3",), ("out", "--storage", "sqlite3")], ids=["file", "folder"])
def test_sqlite_bags_are_recorded(bag, tmp_path, arguments):
    out = tmp_path / arguments[0]
    with Recording(out, *arguments[1:], "--topic", topics.LEFT_INFO) as recording:
        assert main(["play", str(bag), "--topic", topics.LEFT_INFO, *WAIT]) == 0
        code, said = recording.finish()
    assert code == INTERRUPTED, said
    assert len(list(read_bag(out))) == 4


@pytest.mark.parametrize("name", ["out.mcap", "out.db3"])
def test_a_full_disk_is_told_at_once_and_what_was_recorded_is_kept(bag, tmp_path, monkeypatch, name):
    usage, asked = shutil.disk_usage(tmp_path), []

    def nearly_full(_):
        asked.append(1)
        return usage._replace(free=10**9 if len(asked) <= 3 else 10**6)

    monkeypatch.setattr(shutil, "disk_usage", nearly_full)
    command = [sys.executable, "-m", "depth_replay", "play", str(bag), "--loop", "0", *WAIT]
    with subprocess.Popen([*command, "--topic", topics.LEFT_INFO], stderr=subprocess.DEVNULL) as player:
        # Ends by itself: nobody sends it a signal.
        with pytest.raises(DiskFullError, match=r"the bag ends after 3 messages"):
            record(tmp_path / name, RecordOptions((topics.LEFT_INFO,)), threading.Event())
        player.send_signal(signal.SIGINT)
    assert len(list(read_bag(tmp_path / name))) == 3


def test_a_closed_terminal_ends_a_recording_well(bag, tmp_path):
    with Recording(tmp_path / "out.mcap", "--topic", topics.LEFT_INFO) as recording:
        assert main(["play", str(bag), "--topic", topics.LEFT_INFO, *WAIT]) == 0
        code, said = recording.finish(signal.SIGHUP)
    assert code == 0, said
    assert len(list(read_bag(tmp_path / "out.mcap"))) == 4
