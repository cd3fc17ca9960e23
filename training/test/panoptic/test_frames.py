# SPDX-License-Identifier: Apache-2.0
"""Labelled frames: reading, mapping, augmentation."""

import cv2
import numpy as np
import pytest
from depth_training.data import make_dataset
from depth_training.panoptic.frame_augment import augment_frame
from depth_training.panoptic.frames import LabelledFrame, LabelledFrames


def test_sequence_folder_gives_instances(tmp_path):
    for name in ("left", "semantic", "instance"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "left/000000.png"), np.zeros((6, 8, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "semantic/000000.png"), np.full((6, 8), 6, np.uint8))
    cv2.imwrite(str(tmp_path / "instance/000000.png"), np.full((6, 8), 700, np.uint16))
    frames = LabelledFrames(make_dataset("plain", tmp_path, stereo=False))
    assert len(frames) == 1
    assert (frames[0].semantic == 6).all()
    assert (frames[0].instance == 700).all()


def test_frames_without_labels_name_themselves(tmp_path):
    (tmp_path / "left").mkdir()
    cv2.imwrite(str(tmp_path / "left/000003.png"), np.zeros((6, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="000003"):
        LabelledFrames(make_dataset("plain", tmp_path))[0]


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
