# SPDX-License-Identifier: Apache-2.0
"""Pseudo labels stand only where teachers can be trusted, and become a plain folder to learn from."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from depth_models.labels import ROAD, SKY
from depth_training.cli import PROGRAM
from depth_training.data import make_dataset
from depth_training.evaluation.method import Prediction
from depth_training.labelling.pseudo_labels import consistent, pseudo_labels, without_sky

HEIGHT, WIDTH = 6, 40
VIEW = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
LEFT, RIGHT = VIEW + 10, VIEW + 20  # told apart by their brightness


class Teacher:
    """Predicts `disparity_px` for the pair, and `right_px` for the mirrored one, as seen from the right eye."""

    inputs = ("left", "right")

    def __init__(self, disparity_px: np.ndarray, right_px: np.ndarray, semantic: np.ndarray | None = None) -> None:
        self.disparity_px, self.right_px, self.semantic = disparity_px, right_px, semantic
        self.maps = frozenset() if semantic is None else frozenset({"semantic"})

    def __call__(self, images, maps=()):
        brightness = {name: int(image[0, 0, 0]) for name, image in images.items()}
        assert brightness in ({"left": 10, "right": 20}, {"left": 20, "right": 10})
        prediction = self.disparity_px if brightness["left"] == 10 else self.right_px[:, ::-1]
        return Prediction(prediction.astype(np.float32), semantic=self.semantic)


def full(value: float) -> np.ndarray:
    return np.full((HEIGHT, WIDTH), value, np.float32)


def test_a_prediction_that_both_eyes_give_becomes_the_label() -> None:
    labels = pseudo_labels(LEFT, RIGHT, [Teacher(full(5.0), full(5.5))])
    assert np.isnan(labels[:, :5]).all()  # the right camera does not see these columns
    assert (labels[:, 5:] == 5.0).all()


def test_the_right_eye_is_asked_at_the_place_where_the_pixel_is_seen() -> None:
    right_px = full(5.0)
    right_px[2, 11] = 9.0
    labels = pseudo_labels(LEFT, RIGHT, [Teacher(full(5.0), right_px)])
    assert np.argwhere(np.isnan(labels[:, 5:])).tolist() == [[2, 11]]  # column 16 of the left view


def test_teachers_must_agree_and_the_first_one_is_taken() -> None:
    other = full(5.75)
    other[1, 20:] = 7.0
    teachers = [Teacher(full(5.0), full(5.0)), Teacher(other, other)]
    labels = pseudo_labels(LEFT, RIGHT, teachers)
    assert np.isnan(labels[1, 20:]).all()
    assert (labels[0, 6:] == 5.0).all()


def test_large_disparities_may_differ_by_three_per_cent() -> None:
    wide = np.full((1, 200), 100.0, np.float32)
    assert consistent(wide, wide + 2.9, 1.0)[0, 100:].all()
    assert not consistent(wide, wide + 3.1, 1.0).any()


def test_sky_is_no_label() -> None:
    semantic = np.full((HEIGHT, WIDTH), ROAD, np.uint8)
    semantic[:2] = SKY
    labels = without_sky(full(5.0), LEFT, RIGHT, Teacher(full(0), full(0), semantic))
    assert np.isnan(labels[:2]).all()
    assert (labels[2:] == 5.0).all()


def test_a_method_without_classes_cannot_tell_the_sky() -> None:
    with pytest.raises(ValueError, match="knows our classes"):
        without_sky(full(5.0), LEFT, RIGHT, Teacher(full(0), full(0)))


def textured_pairs(folder: Path) -> np.ndarray:
    """Two pairs of one textured plane at 12 px, as a plain folder without truth; the first left view."""
    pictures = np.random.default_rng(3).integers(0, 256, (2, 96, 212, 3), np.uint8)
    for name, first in (("left", 0), ("right", 12)):
        (folder / name).mkdir(parents=True)
        for index, picture in enumerate(pictures):
            cv2.imwrite(str(folder / name / f"{index}.png"), picture[:, first : first + 200, ::-1])
    return pictures[0, :, :200]


def test_the_command_writes_a_plain_folder_and_goes_on_where_it_was(tmp_path: Path) -> None:
    first = textured_pairs(tmp_path / "pairs")
    command = ["pseudo-labels", f"plain={tmp_path / 'pairs'}", "--method", "sgbm", "--out"]
    PROGRAM.run([*command, str(tmp_path / "out")])
    labelled = make_dataset("plain", tmp_path / "out")
    assert len(labelled) == 2
    known = np.isfinite(labelled[0].disparity_px)
    assert (labelled[0].left == first).all()
    assert 0.8 < known.mean() < 0.95
    assert np.abs(labelled[0].disparity_px[known] - 12).max() < 0.5
    kept, made_again = (tmp_path / "out" / "disparity" / name for name in ("000000.png", "000001.png"))
    content, time = made_again.read_bytes(), kept.stat().st_mtime_ns
    made_again.unlink()
    PROGRAM.run([*command, str(tmp_path / "out")])
    assert (made_again.read_bytes(), kept.stat().st_mtime_ns) == (content, time)


def test_labels_of_other_settings_are_not_mixed(tmp_path: Path) -> None:
    textured_pairs(tmp_path / "pairs")
    command = [
        "pseudo-labels",
        f"plain={tmp_path / 'pairs'}",
        "--method",
        "sgbm",
        "--out",
        str(tmp_path / "out"),
    ]
    PROGRAM.run(command)
    with pytest.raises(ValueError, match=r"tolerance.*choose another --out"):
        PROGRAM.run([*command, "--tolerance", "2"])


def test_frames_without_a_right_view_are_refused(tmp_path: Path) -> None:
    (tmp_path / "left").mkdir()
    cv2.imwrite(str(tmp_path / "left" / "0.png"), VIEW)
    with pytest.raises(ValueError, match="no right view"):
        PROGRAM.run(["pseudo-labels", f"plain={tmp_path}", "--method", "sgbm", "--out", str(tmp_path / "out")])
