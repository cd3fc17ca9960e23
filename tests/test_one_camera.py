# SPDX-License-Identifier: Apache-2.0
"""One calibration, given to every entry point in its own form, is one focal length and one baseline everywhere.

The left camera is translated (P[3] = 59.9, as in KITTI), and its images are the whole sensor, a region of interest, a
binning, or both. What reads files has P of those images; what reads CameraInfo has P of the sensor. `predict` takes no
calibration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from depth_replay.bags.outputs_bag import join_bags
from depth_replay.bags.writer import BagWriter
from depth_replay.cli import main as replay
from depth_replay.messages import topics
from depth_replay.messages.definitions import CAMERA_INFO, TYPES, serialize
from depth_replay.messages.image_codec import compress, header, image_message
from depth_replay.scoring.score import score_bags
from depth_replay.scoring.truth import read_camera
from depth_runtime.camera import StereoCamera
from depth_runtime.files.images import write_png
from depth_runtime.files.sequence_folder import TrueFrame, write_frame, write_header

pytest.importorskip("torch")
from depth_training.data import make_dataset

SENSOR = (48, 96)
FX, FY, CX_LEFT, CX_RIGHT, CY, BASELINE_M = 120.0, 118.0, 50.0, 46.5, 22.0, 0.5
TX_LEFT = 59.9
P_LEFT = np.array([[FX, 0, CX_LEFT, TX_LEFT], [0, FY, CY, 0], [0, 0, 1, 0]])
P_RIGHT = np.array([[FX, 0, CX_RIGHT, TX_LEFT - FX * BASELINE_M], [0, FY, CY, 0], [0, 0, 1, 0]])
STAMP_NS = 1_700_000_000 * 10**9


@dataclass(frozen=True)
class View:
    """Which pixels of the sensor an image has: those of `roi` (x, y, width, height), `binning` in one."""

    roi: tuple[int, int, int, int] = (0, 0, 0, 0)
    binning: int = 1

    @property
    def size(self) -> tuple[int, int]:
        height, width = (self.roi[3], self.roi[2]) if self.roi[2] else SENSOR
        return height // self.binning, width // self.binning

    def projection(self, p: np.ndarray) -> np.ndarray:
        """P of the image; CameraInfo.msg: u' = (u - x_offset) / binning."""
        return np.diag((1 / self.binning, 1 / self.binning, 1)) @ (p - np.outer((*self.roi[:2], 0), (0, 0, 1, 0)))


VIEWS = {
    "the sensor": View(),
    "a region": View(roi=(8, 6, 64, 32)),
    "a binning": View(binning=2),
    "a binned region": View(roi=(8, 6, 64, 32), binning=2),
}


@pytest.fixture(params=VIEWS)
def view(request) -> View:
    return VIEWS[request.param]


def check(view: View, camera: StereoCamera) -> None:
    assert (camera.fx, camera.fy) == pytest.approx((FX / view.binning, FY / view.binning))
    assert camera.baseline_m == pytest.approx(BASELINE_M)
    assert camera.disparity_shift_px == pytest.approx((CX_LEFT - CX_RIGHT) / view.binning)
    assert (camera.cx_left, camera.cy) == pytest.approx(
        ((CX_LEFT - view.roi[0]) / view.binning, (CY - view.roi[1]) / view.binning)
    )
    assert camera.size == view.size


def test_the_node(view):
    messages = pytest.importorskip("sensor_msgs.msg")
    calibration = pytest.importorskip("depth_nodes.calibration")
    x, y, width, height = view.roi
    infos = []
    for p in (P_LEFT, P_RIGHT):
        info = messages.CameraInfo(height=SENSOR[0], width=SENSOR[1], binning_x=view.binning, binning_y=view.binning)
        info.p = p.ravel().tolist()
        info.roi = messages.RegionOfInterest(x_offset=x, y_offset=y, width=width, height=height)
        infos.append(info)
    check(view, calibration.stereo_camera(*infos, view.size))


def bag_infos(view: View) -> list:
    x, y, width, height = view.roi
    roi = TYPES.types["sensor_msgs/msg/RegionOfInterest"](x, y, height, width, False)
    return [
        TYPES.types[CAMERA_INFO](
            header=header(STAMP_NS, "left"),
            height=SENSOR[0],
            width=SENSOR[1],
            distortion_model="plumb_bob",
            d=np.zeros(5),
            k=np.array([999.0, 0, 9, 0, 999, 9, 0, 0, 1]),
            r=np.eye(3).ravel(),
            p=p.ravel(),
            binning_x=view.binning,
            binning_y=view.binning,
            roi=roi,
        )
        for p in (P_LEFT, P_RIGHT)
    ]


def write_bag(path, entries):
    with BagWriter(path) as writer:
        for topic, message in entries:
            writer.add_topic(topic, message.__msgtype__)
            writer.write(topic, STAMP_NS, serialize(message))
    return path


def recorded(view: View, folder):
    """A bag with calibration and truth, and one with the perfect depth of that truth."""
    true_px = np.random.default_rng(0).integers(5 * 256, 40 * 256, view.size).astype(np.uint16)
    shift_px = (CX_LEFT - CX_RIGHT) / view.binning
    depth_m = (FX / view.binning * BASELINE_M / (true_px / 256 - shift_px)).astype(np.float32)
    truth = compress(true_px, "16UC1", "png", header(STAMP_NS, "left"))
    image = image_message(np.zeros(view.size, np.uint8), "mono8", header(STAMP_NS, "left"))
    played = [*zip((topics.LEFT_INFO, topics.RIGHT_INFO), bag_infos(view), strict=True), (topics.LEFT_IMAGE, image)]
    played.append((topics.compressed(topics.TRUTH_DISPARITY), truth))
    depth = (topics.DEPTH, image_message(depth_m, "32FC1", header(STAMP_NS, "left")))
    return write_bag(folder / "played.mcap", played), write_bag(folder / "recorded.mcap", [depth])


def test_score_of_perfect_depth(view, tmp_path):
    played, outputs = recorded(view, tmp_path)
    check(view, read_camera(played))
    assert score_bags(outputs, played).figures["depth"]["abs_rel"] == pytest.approx(0, abs=1e-4)  # per cent


def test_demo_scores_the_bag_that_it_joined(view, tmp_path):
    out = tmp_path / "outputs.mcap"
    join_bags(*recorded(view, tmp_path), {STAMP_NS: STAMP_NS}, {}, out)
    check(view, read_camera(out))
    assert score_bags(out, out).figures["depth"]["abs_rel"] == pytest.approx(0, abs=1e-4)


def text(p: np.ndarray) -> str:
    return " ".join(f"{number!r}" for number in p.ravel().tolist())


def kitti_files(view: View, root, left: str, right: str, calibration: str, keys: tuple[str, str], stem: str):
    """One pair of images with its calibration text."""
    for side in (left, right):
        write_png(root / side / f"{stem}.png", np.zeros((*view.size, 3), np.uint8))
    path = root / calibration
    path.parent.mkdir(parents=True, exist_ok=True)
    matrices = zip(keys, (P_LEFT, P_RIGHT), strict=True)
    path.write_text("".join(f"{key}: {text(view.projection(p))}\n" for key, p in matrices))
    return root


LAYOUTS = {
    "kitti-raw": ("image_02/data", "image_03/data", "calib_cam_to_cam.txt", ("P_rect_02", "P_rect_03"), "0000000000"),
    "kitti-odometry": ("image_2", "image_3", "calib.txt", ("P2", "P3"), "000000"),
    "kitti-stereo": ("image_2", "image_3", "calib_cam_to_cam/000000.txt", ("P_rect_02", "P_rect_03"), "000000_10"),
    "karlsruhe": ("left", "right", "calib.txt", ("P1_roi", "P2_roi"), "000000"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_images_to_bag(view, layout, tmp_path):
    source = kitti_files(view, tmp_path / "source", *LAYOUTS[layout])
    assert replay(["images-to-bag", str(source), "--out", str(tmp_path / "bag"), "--layout", layout]) == 0
    check(view, read_camera(tmp_path / "bag"))


SETS = {
    "kitti-odometry": LAYOUTS["kitti-odometry"],
    "kitti2015": ("image_2", "image_3", "calib_cam_to_cam/000000.txt", ("P_rect_02", "P_rect_03"), "000000_10"),
    "kitti2012": ("colored_0", "colored_1", "calib/000000.txt", ("P2", "P3"), "000000_10"),
}


@pytest.mark.parametrize("name", SETS)
def test_evaluate_and_train(view, name, tmp_path):
    part = "" if name == "kitti-odometry" else "training"
    kitti_files(view, tmp_path / part, *SETS[name])
    check(view, make_dataset(name, tmp_path)[0].camera)


def test_the_plain_folder_in_every_hand(view, tmp_path):
    camera = StereoCamera.from_projections(view.projection(P_LEFT), view.projection(P_RIGHT), view.size)
    image, zeros = np.zeros((*view.size, 3), np.uint8), np.zeros(view.size, np.uint16)
    source = tmp_path / "source"
    write_header(source, camera, [], [0.0])
    write_frame(source, 0, TrueFrame(image, image, zeros, zeros, zeros))
    check(view, make_dataset("plain", source)[0].camera)
    assert replay(["images-to-bag", str(source), "--out", str(tmp_path / "bag")]) == 0
    check(view, read_camera(tmp_path / "bag"))
