# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
from depth_training.cli import main
from depth_training.data import make_dataset


def test_rendered_pairs_are_labelled_and_the_same_for_the_same_seed(tmp_path):
    scene = [
        "--count",
        "2",
        "--width",
        "96",
        "--height",
        "64",
        "--seed",
        "5",
        "--drive",
        "1",
        "--indoor",
        "0",
        "--flying",
        "0",
    ]
    for name in ("a", "b"):
        main(["render", "--out", str(tmp_path / name), *scene])
    frames, again = (make_dataset("plain", tmp_path / name) for name in ("a", "b"))
    assert len(frames) == 2
    for index in range(2):
        np.testing.assert_array_equal(frames[index].semantic, again[index].semantic)
        np.testing.assert_array_equal(frames[index].left, again[index].left)
        assert len(np.unique(frames[index].semantic)) > 2
    assert (frames[0].left != frames[1].left).any()
    disparity = cv2.imread(str(tmp_path / "a" / "disparity" / "000000.png"), cv2.IMREAD_UNCHANGED)
    assert disparity.dtype == np.uint16
    assert disparity.max() > 256


def test_help_of_a_command_lists_its_own_options(capsys):
    with pytest.raises(SystemExit):
        main(["render", "--help"])
    assert "--suitable" in capsys.readouterr().out
