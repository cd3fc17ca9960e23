# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from depth_runtime.files.ply import write_ply


def test_finite_points_are_written_as_binary_little_endian(tmp_path):
    points = np.array([[[1, 2, 3], [np.nan, 0, 1]], [[4, 5, np.inf], [-6, 7.5, 8]]], np.float32)
    colours = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    path = tmp_path / "folder" / "points.ply"
    assert write_ply(path, points, colours) == 2
    header, _, body = path.read_bytes().partition(b"end_header\n")
    assert header.decode().splitlines() == [
        *("ply", "format binary_little_endian 1.0", "element vertex 2"),
        *("property float x", "property float y", "property float z"),
        *("property uchar red", "property uchar green", "property uchar blue"),
    ]
    assert len(body) == 2 * 15
    assert np.frombuffer(body[:12], "<f4").tolist() == [1, 2, 3]
    assert list(body[12:15]) == [0, 1, 2]
    assert np.frombuffer(body[15:27], "<f4").tolist() == [-6, 7.5, 8]
    assert list(body[27:]) == [9, 10, 11]


def test_no_finite_point_is_a_cloud_of_none(tmp_path):
    assert write_ply(tmp_path / "none.ply", np.full((2, 3), np.nan), np.zeros((2, 3), np.uint8)) == 0
    assert b"element vertex 0\n" in (tmp_path / "none.ply").read_bytes()


@pytest.mark.parametrize(
    ("points", "colours"),
    [((4, 2), np.zeros((4, 2), np.uint8)), ((4, 3), np.zeros((5, 3), np.uint8)), ((4, 3), np.zeros((4, 3)))],
)
def test_other_shapes_are_refused(tmp_path, points, colours):
    with pytest.raises(ValueError, match=r"expected points \[\.\.\., 3\] and as many colours in uint8"):
        write_ply(tmp_path / "a.ply", np.zeros(points), colours)
