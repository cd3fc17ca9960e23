# SPDX-License-Identifier: Apache-2.0
"""Small folders of image pairs in the real formats, with numbers that cannot be mistaken for each other."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

HEIGHT, WIDTH = 24, 40
PLAIN = {
    "width": WIDTH,
    "height": HEIGHT,
    "fx": 51.5,
    "fy": 49.25,
    "cx_left": 19.5,
    "cx_right": 22.25,
    "cy": 11.125,
    "baseline_m": 0.375,
}
LABELS = [
    {"id": 0, "name": "road", "color": [128, 64, 128], "thing": False},
    {"id": 5, "name": "vehicle", "color": [0, 60, 220], "thing": True},
]
# Real lines of KITTI drive 2011_09_26: fx = fy there, so fy is changed to tell them apart.
P_RECT_02 = "7.215377e+02 0 6.095593e+02 4.485728e+01 0 7.310000e+02 1.728540e+02 2.163791e-01 0 0 1 2.745884e-03"
P_RECT_03 = "7.215377e+02 0 6.095593e+02 -3.395242e+02 0 7.310000e+02 1.728540e+02 2.199936e+00 0 0 1 2.729905e-03"
KITTI_BASELINE_M = (44.85728 + 339.5242) / 721.5377


def picture(seed: int, shape: tuple[int, ...] = (HEIGHT, WIDTH, 3)) -> np.ndarray:
    """Random uint8 image."""
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def save(path: Path, image: np.ndarray) -> None:
    """Write an image, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def pairs(left: Path, right: Path, names: list[str], grey: bool = False) -> None:
    """Random pairs; left image i has seed 2 i, right image seed 2 i + 1."""
    for i, name in enumerate(names):
        for folder, seed in ((left, 2 * i), (right, 2 * i + 1)):
            save(folder / name, picture(seed, (HEIGHT, WIDTH) if grey else (HEIGHT, WIDTH, 3)))


def plain(root: Path, count: int = 3) -> Path:
    """A plain folder with truth, at 0.0, 0.1, ... seconds."""
    names = [f"{i:06d}.png" for i in range(count)]
    pairs(root / "left", root / "right", names)
    for i, name in enumerate(names):
        save(root / "disparity" / name, disparity(i))
        save(root / "semantic" / name, semantic(i))
        save(root / "instance" / name, (semantic(i) == 5).astype(np.uint16) * (300 + i))
    (root / "calibration.json").write_text(json.dumps(PLAIN))
    (root / "timestamps.txt").write_text("".join(f"{i / 10:.9f}\n" for i in range(count)))
    (root / "labels.json").write_text(json.dumps(LABELS))
    return root


def disparity(i: int) -> np.ndarray:
    """Stored truth of frame i: uint16, pixels * 256; the first row has none."""
    stored = np.random.default_rng(100 + i).integers(1, 64 * 256, (HEIGHT, WIDTH)).astype(np.uint16)
    stored[0] = 0
    return stored


def semantic(i: int) -> np.ndarray:
    """Ids of frame i: road, a vehicle that moves, an unlabelled row."""
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[5:12, 3 + i : 9 + i] = 5
    ids[-1] = 255
    return ids


def kitti_raw(root: Path) -> Path:
    """A raw drive; the calibration lies one level up, as on the KITTI server."""
    drive = root / "2011_09_26" / "2011_09_26_drive_0001_sync"
    names = ["0000000000.png", "0000000001.png"]
    pairs(drive / "image_02" / "data", drive / "image_03" / "data", names)
    (drive / "image_02" / "timestamps.txt").write_text("2011-09-26 13:02:25.964389445\n2011-09-26 13:02:26.067\n")
    (drive.parent / "calib_cam_to_cam.txt").write_text(
        f"calib_time: 09-Jan-2012 13:57:47\nP_rect_02: {P_RECT_02}\nP_rect_03: {P_RECT_03}\n"
    )
    return drive


def kitti_odometry(root: Path) -> Path:
    """A grey odometry sequence."""
    pairs(root / "image_0", root / "image_1", ["000000.png", "000001.png"], grey=True)
    (root / "calib.txt").write_text(
        "P0: 718.856 0 607.1928 0 0 720.5 185.2157 0 0 0 1 0\n"
        "P1: 718.856 0 607.1928 -386.1448 0 720.5 185.2157 0 0 0 1 0\n"
    )
    (root / "times.txt").write_text("0.000000e+00\n1.037359e-01\n")
    return root


def kitti_stereo(root: Path) -> Path:
    """The stereo benchmark of 2015: one pair with sparse truth; the frame _11 is not part of it."""
    training = root / "training"
    pairs(training / "image_2", training / "image_3", ["000000_10.png", "000000_11.png"])
    save(training / "disp_occ_0" / "000000_10.png", disparity(0))
    calibration = training / "calib_cam_to_cam" / "000000.txt"
    calibration.parent.mkdir()
    calibration.write_text(f"P_rect_02: {P_RECT_02}\nP_rect_03: {P_RECT_03}\n")
    return root


def karlsruhe(root: Path) -> Path:
    """A Karlsruhe folder: P1 is of the full image, P1_roi of the crop that is stored."""
    pairs(root / "left", root / "right", ["000000.png", "000001.png"], grey=True)
    (root / "calib.txt").write_text(
        "calib_time: 09-Mar-2010 16:52:08\n"
        "P1: 645.24 0 661.95 0 0 650.5 264.12 0 0 0 1 0\n"
        "P2: 645.24 0 661.95 -368.2632 0 650.5 264.12 0 0 0 1 0\n"
        "P1_roi: 645.24 0 635.95 0 0 650.5 194.12 0 0 0 1 0\n"
        "P2_roi: 645.24 0 635.95 -368.2632 0 650.5 194.12 0 0 0 1 0\n"
    )
    return root
