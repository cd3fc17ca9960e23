# SPDX-License-Identifier: Apache-2.0
"""Writing bags: nothing that was there is lost, and nothing that was recorded."""

from __future__ import annotations

import shutil

import pytest
from depth_replay.bags.bag import bag_topics, read_bag
from depth_replay.bags.contents import BagError
from depth_replay.bags.writer import BagWriter, DiskFullError
from depth_replay.messages.definitions import STRING, TYPES, serialize

TEXT = serialize(TYPES.types[STRING](data="text " * 20))
PLACES = ["bag", "bag.mcap", "bag.db3"]


def fill(writer, count):
    writer.add_topic("/text", STRING)
    for i in range(count):
        writer.write("/text", 1000 + i, TEXT)


def write(out, count, **options):
    with BagWriter(out, **options) as writer:
        fill(writer, count)


@pytest.mark.parametrize("place", PLACES)
def test_overwriting_replaces_a_bag(tmp_path, place):
    write(tmp_path / place, 3)
    with pytest.raises(BagError, match=r"expected no bag at .*--overwrite"):
        write(tmp_path / place, 5)
    write(tmp_path / place, 5, overwrite=True)
    assert len(list(read_bag(tmp_path / place))) == 5
    assert [path.name for path in tmp_path.iterdir()] == [place]


def test_overwriting_a_folder_that_is_no_bag_is_refused_and_deletes_nothing(tmp_path):
    sequence = tmp_path / "sequence"
    (sequence / "left").mkdir(parents=True)
    (sequence / "left" / "000000.png").write_bytes(b"a picture that exists once")
    (sequence / "metadata.yaml").write_text("rosbag2_bagfile_information: {}")
    for folder in (sequence, tmp_path):
        with pytest.raises(BagError, match=r"expected a bag at .* to overwrite.*nothing was deleted"):
            BagWriter(folder, overwrite=True)
    assert (sequence / "left" / "000000.png").read_bytes() == b"a picture that exists once"
    notes = tmp_path / "notes.txt"
    notes.write_text("not a bag")
    with pytest.raises(BagError, match=r"expected a bag at .*notes.txt to overwrite"):
        BagWriter(notes, overwrite=True)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("zstd", [False, True])
def test_before_the_disk_is_full_writing_ends_and_the_bag_is_whole(tmp_path, monkeypatch, place, zstd):
    free = {"bytes": 10_000_000}
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free["bytes"]))
    full = pytest.raises(DiskFullError, match=r"got 1 MB; the bag ends after 7 messages")
    with full, BagWriter(tmp_path / place, zstd=zstd, keep=True) as writer:
        fill(writer, 7)
        free["bytes"] = 1_000_000
        writer.write("/text", 2000, TEXT)
    assert bag_topics(tmp_path / place)["/text"].count == 7
    assert [m.data for m in read_bag(tmp_path / place)] == [TEXT] * 7
    assert [path.name for path in tmp_path.iterdir()] == [place]


def test_two_writers_of_one_bag_at_once_are_refused(tmp_path):
    with BagWriter(tmp_path / "bag.mcap") as first:
        fill(first, 1)
        with pytest.raises(BagError, match=r"nobody else to write .*bag.mcap"):
            BagWriter(tmp_path / "bag.mcap")
        first.write("/text", 2000, TEXT)
    assert len(list(read_bag(tmp_path / "bag.mcap"))) == 2


def test_what_a_killed_run_left_is_moved_aside_and_named(tmp_path, caplog):
    for number in (1, 2):
        killed = BagWriter(tmp_path / "bag.mcap", zstd=False, overwrite=True)
        fill(killed, 20_000)  # more than the megabyte that waits for its chunk
        killed._lock.close()  # as the kernel does for a process that is killed
        killed._writer.storage.bio.flush()
        write(tmp_path / "bag.mcap", 1, overwrite=True)
        aside = tmp_path / f"bag.mcap.unfinished-{number}" / "bag"
        assert f"its messages lie in {aside.parent}" in caplog.text
        recovered = list(read_bag(aside / "bag.mcap"))
        assert len(recovered) > 5000
        assert {m.data for m in recovered} == {TEXT}
    assert len(list(read_bag(tmp_path / "bag.mcap"))) == 1


def test_an_error_without_keep_leaves_the_old_bag_and_nothing_else(tmp_path):
    write(tmp_path / "bag", 3)
    with pytest.raises(KeyboardInterrupt), BagWriter(tmp_path / "bag", overwrite=True) as writer:  # noqa: PT012
        fill(writer, 1)
        raise KeyboardInterrupt
    assert len(list(read_bag(tmp_path / "bag"))) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["bag"]
