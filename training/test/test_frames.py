# SPDX-License-Identifier: Apache-2.0
"""Labelled frames: reading, mapping, augmentation."""

import cv2
import numpy as np
import pytest
from depth_training.frame_augment import augment_frame
from depth_training.frames import CamVid, LabelledFrame, SequenceFrames, own_ids


def test_camvid_ids_become_ours():
    # sky building pole road pavement tree sign fence car pedestrian cyclist unlabelled, and an undefined id
    camvid = np.array([[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]], np.uint8)
    assert own_ids(camvid).tolist() == [[7, 2, 3, 0, 1, 4], [3, 3, 5, 6, 6, 255]]
    assert own_ids(np.array([[12, 255]], np.uint8)).tolist() == [[255, 255]]


def test_camvid_folder_gives_rgb_and_mapped_labels(tmp_path):
    image = np.zeros((6, 8, 3), np.uint8)
    image[:, :, 2] = 200  # red, in OpenCV's order
    cv2.imwrite(str(tmp_path / "a.png"), image)
    cv2.imwrite(str(tmp_path / "a_semantic.png"), np.full((6, 8), 8, np.uint8))
    frames = CamVid(tmp_path)
    assert len(frames) == 1
    assert frames[0].image[0, 0].tolist() == [200, 0, 0]
    assert (frames[0].semantic == 5).all()
    assert frames[0].instance is None


def test_sequence_folder_gives_instances(tmp_path):
    for name in ("left", "semantic", "instance"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "left/000000.png"), np.zeros((6, 8, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "semantic/000000.png"), np.full((6, 8), 6, np.uint8))
    cv2.imwrite(str(tmp_path / "instance/000000.png"), np.full((6, 8), 700, np.uint16))
    assert (SequenceFrames(tmp_path)[0].instance == 700).all()


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"_semantic\.png"):
        CamVid(tmp_path)


def test_augmentation_moves_pixels_labels_and_instances_together():
    rng = np.random.default_rng(0)
    semantic = np.zeros((90, 120), np.uint8)
    semantic[30:60, 40:70] = 5
    image = np.repeat((semantic > 0)[..., None] * np.uint8(255), 3, 2)
    frame = LabelledFrame(image, semantic, (semantic > 0).astype(np.uint16) * 9)
    for _ in range(10):
        view = augment_frame(frame, 64, 96, rng)
        assert view.image.shape == (64, 96, 3)
        assert ((view.semantic == 5) == (view.instance == 9)).all()
        bright = view.image[..., 1] > 127
        known = view.semantic != 255
        assert (bright == (view.semantic == 5))[known].mean() > 0.97
