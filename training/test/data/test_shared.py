# SPDX-License-Identifier: Apache-2.0
"""Readers on real files, where the shared data folder stands beside the repository."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from depth_runtime.camera import Camera
from depth_training.data import make_dataset

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data folder is not beside the repository")


def detail(image):
    """float32 [H, W] without the brightness, in which the two cameras of a rig may differ."""
    grey = image.mean(2, dtype=np.float32)
    return grey - cv2.blur(grey, (9, 9))


@pytest.mark.parametrize("name", ["kitti2015", "middlebury2014", "eth3d", "flyingthings3d"])
def test_true_disparity_explains_the_right_view(name):
    sample = make_dataset("csv", DATA / "stereo_gt.csv", split=name)[0]
    rows, columns = sample.left.shape[:2]
    x = np.arange(columns) - np.rint(np.nan_to_num(sample.disparity_px)).astype(int)
    seen = np.isfinite(sample.disparity_px) & (x >= 0)
    left, right = detail(sample.left), detail(sample.right)
    likeness = {
        shift: np.corrcoef(left[seen], right[np.arange(rows)[:, None], (x + shift).clip(0, columns - 1)][seen])[0, 1]
        for shift in (0, -5, 5)
    }
    assert likeness[0] > 0.4
    assert likeness[0] > 1.5 * max(likeness[-5], likeness[5])


def test_odometry_moves_forward():
    frames = make_dataset("kitti-odometry", DATA / "sequences/kitti_odometry_a", neighbours=True)
    assert len(frames) == 49
    first, later = frames[0], frames[20]
    assert first.camera == Camera(707.0912, 707.0912, 601.8873, 183.1104, first.left.shape[:2])
    assert first.right is None
    assert first.left.shape == first.neighbours[0].shape
    step_m = np.linalg.inv(first.pose) @ later.pose
    assert 5 < step_m[2, 3] < 60  # twenty frames at 10 Hz of a car
    assert abs(step_m[1, 3]) < 2
    assert np.linalg.det(later.pose[:3, :3]) == pytest.approx(1, abs=1e-4)


def test_camvid_labels_are_ours():
    frames = make_dataset("camvid", DATA / "camvid", split="val")
    assert len(frames) == 101
    sample = frames[0]
    assert sample.semantic.shape == sample.left.shape[:2] == (360, 480)
    assert set(np.unique(sample.semantic)) <= {*range(8), 255}
    # Road below, sky or buildings above.
    assert np.bincount(sample.semantic[-60:].ravel()).argmax() == 0
    assert 0 not in sample.semantic[:60]


def test_a_recorded_drive_is_a_plain_video():
    frames = make_dataset("plain", DATA / "sequences/kitti_grey_stereo", neighbours=True)
    assert len(frames) == 78
    sample = frames[5]
    assert sample.left.shape == sample.right.shape
    assert (sample.left[..., 0] == sample.left[..., 2]).all()
    assert sample.camera is None
