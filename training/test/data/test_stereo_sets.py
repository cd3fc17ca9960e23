# SPDX-License-Identifier: Apache-2.0
"""Readers of stereo sets with true disparity, on tiny files in each set's own format."""

import numpy as np
import pytest
from depth_runtime.camera import Camera
from depth_training.data import make_dataset
from tiny_files import picture, write_image, write_pfm, write_text


def ramp(first: float) -> np.ndarray:
    """float32 [6, 8], no two values alike."""
    return first + np.arange(48, dtype=np.float32).reshape(6, 8) / 64


@pytest.fixture(params=["flyingthings3d", "monkaa", "driving"])
def sceneflow(request, tmp_path):
    """Name and root of one SceneFlow set with a single pair; the left truth carries a minus sign."""
    folder = {
        "flyingthings3d": "TRAIN/A/0007",
        "monkaa": "a_rain_of_stones_x2",
        "driving": "15mm_focallength/scene_backwards/fast",
    }[request.param]
    for side, value in (("left", 10), ("right", 20)):
        write_image(tmp_path / f"frames_finalpass/{folder}/{side}/0006.png", picture(value))
    write_pfm(tmp_path / f"disparity/{folder}/left/0006.pfm", -ramp(1))
    write_pfm(tmp_path / f"disparity/{folder}/right/0006.pfm", ramp(2))
    return request.param, tmp_path, folder


def test_sceneflow_pair(sceneflow):
    name, root, folder = sceneflow
    frames = make_dataset(name, root)
    assert len(frames) == 1
    sample = frames[0]
    assert sample.name == f"{folder}/0006"
    assert (sample.left[0, 0, 0], sample.right[0, 0, 0]) == (10, 20)
    assert (sample.disparity_px == ramp(1)).all()
    assert (sample.right_disparity_px == ramp(2)).all()
    assert sample.occluded[:, 0].all()  # more than half a pixel beyond the right image
    assert not sample.occluded[0, 1:].any()
    focal_px = 450 if name == "driving" else 1050
    assert sample.camera.left == Camera(focal_px, focal_px, 479.5, 269.5, sample.left.shape[:2])


def test_sceneflow_names_what_is_wrong(sceneflow):
    name, root, folder = sceneflow
    with pytest.raises(ValueError, match="frames_cleanpass"):
        make_dataset(name, root, image_pass="cleanpass")
    with pytest.raises(ValueError, match=r"split among .*'train'.* got 'val'"):
        make_dataset(name, root, split="val")
    path = root / f"disparity/{folder}/right/0006.pfm"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match=r"right/0006\.pfm"):
        make_dataset(name, root)[0]


CALIB = "cam0=[1998.842 0 588.364; 0 1998.842 505.864; 0 0 1]\ncam1=[1998.842 0 653.9195; 0 1998.842 505.864; 0 0 1]\n"
CALIB += "doffs=65.5555\nbaseline=193.001\nwidth=8\nheight=6\nndisp=140\n"


def scene(folder, truth, disparity="disp0GT.pfm"):
    """One scene of Middlebury's kind: two unknown pixels, one of them of the mask."""
    write_image(folder / "im0.png", picture(30))
    write_image(folder / "im1.png", picture(40))
    write_image(folder / "im1E.png", picture(50))
    write_text(folder / "calib.txt", CALIB)
    values = ramp(50)
    values[2, 3] = np.inf
    write_pfm(truth / disparity, values)


def test_middlebury_2014(tmp_path):
    folder = tmp_path / "Adirondack-perfect"
    scene(folder, folder, "disp0.pfm")
    write_pfm(folder / "disp1.pfm", ramp(60))
    sample = make_dataset("middlebury2014", tmp_path, right="im1E")[0]
    assert (sample.name, sample.right[0, 0, 0]) == ("Adirondack-perfect", 50)
    assert sample.right_disparity_px[0, 0] == 60
    depth_m = sample.true_depth_m()  # b f / (d + doffs)
    assert depth_m[0, 0] == pytest.approx(0.193001 * 1998.842 / (50 + 65.5555), rel=1e-5)
    assert np.isnan(sample.disparity_px[2, 3])
    assert np.isnan(depth_m[2, 3])


def test_middlebury_v3_and_its_mask(tmp_path):
    folder = tmp_path / "trainingQ/Piano"
    scene(folder, folder)
    mask = np.full((6, 8), 255, np.uint8)
    mask[1, 5], mask[2, 3] = 128, 0
    write_image(folder / "mask0nocc.png", mask)
    sample = make_dataset("middlebury-v3", tmp_path, size="Q")[0]
    assert np.argwhere(sample.occluded).tolist() == [[1, 5]]
    with pytest.raises(ValueError, match="trainingH"):
        make_dataset("middlebury-v3", tmp_path)
    (folder / "calib.txt").unlink()
    with pytest.raises(ValueError, match=r"Piano/calib\.txt"):
        make_dataset("middlebury-v3", tmp_path, size="Q")[0]


def test_eth3d_truth_stands_apart(tmp_path):
    scene(tmp_path / "two_view_training/delivery_area_1l", tmp_path / "two_view_training_gt/delivery_area_1l")
    scene(tmp_path / "two_view_test/lakeside_1s", tmp_path / "elsewhere")
    train, test = make_dataset("eth3d", tmp_path)[0], make_dataset("eth3d", tmp_path, split="test")[0]
    assert train.disparity_px[0, 0] == 50
    assert (test.name, test.disparity_px) == ("lakeside_1s", None)


P2 = "7.2e+02 0 6.0e+02 4.5e+01 0 7.2e+02 1.7e+02 2.0e-01 0 0 1 2.7e-03"
P3 = "7.2e+02 0 6.0e+02 -3.39e+02 0 7.2e+02 1.7e+02 2.0e+00 0 0 1 2.7e-03"
KITTI = {
    "kitti2015": ("image_2", "image_3", "disp_occ_0", "disp_noc_0", "calib_cam_to_cam", "P_rect_02", "P_rect_03"),
    "kitti2012": ("colored_0", "colored_1", "disp_occ", "disp_noc", "calib", "P2", "P3"),
}


@pytest.fixture(params=KITTI)
def kitti(request, tmp_path):
    """Name and root of a benchmark with one training pair (truth 30.5 px at two pixels, one of them occluded)."""
    left, right, occ, noc, calibration, key2, key3 = KITTI[request.param]
    for part in ("training", "testing"):
        for frame in ("000003_10", "000003_11"):
            write_image(tmp_path / part / left / f"{frame}.png", picture(60))
            write_image(tmp_path / part / right / f"{frame}.png", picture(70))
        write_text(tmp_path / part / calibration / "000003.txt", f"calib_time: 09-Jan\n{key2}: {P2}\n{key3}: {P3}\n")
    truth = np.zeros((6, 8), np.uint16)
    truth[4, 2] = truth[4, 6] = 30.5 * 256
    write_image(tmp_path / "training" / occ / "000003_10.png", truth)
    truth[4, 2] = 0
    write_image(tmp_path / "training" / noc / "000003_10.png", truth)
    return request.param, tmp_path


def test_kitti_stereo(kitti):
    name, root = kitti
    frames = make_dataset(name, root)
    assert len(frames) == 1
    sample = frames[0]
    assert (sample.left[0, 0, 0], sample.right[0, 0, 0]) == (60, 70)
    assert np.argwhere(np.isfinite(sample.disparity_px)).tolist() == [[4, 2], [4, 6]]
    assert np.argwhere(sample.occluded).tolist() == [[4, 2]]
    assert sample.camera.baseline_m == pytest.approx((45 + 339) / 720)
    assert sample.true_depth_m()[4, 6] == pytest.approx(384 / 30.5)
    assert make_dataset(name, root, split="test")[0].disparity_px is None


def test_kitti_stereo_names_what_is_missing(kitti):
    name, root = kitti
    noc = root / "training" / KITTI[name][3] / "000003_10.png"
    noc.unlink()
    with pytest.raises(ValueError, match=noc.name):
        make_dataset(name, root)[0]
    with pytest.raises(ValueError, match="nothing/training"):
        make_dataset(name, root / "nothing")


def test_kitti_2012_of_the_grey_cameras(tmp_path):
    root = tmp_path / "testing"
    for folder, value in (("image_0", 10), ("image_1", 20), ("colored_0", 30), ("colored_1", 40)):
        write_image(root / folder / "000007_10.png", picture(value)[..., 0])
    matrices = [f"P{camera}: 700 0 600 {-shift} 0 700 170 0 0 0 1 0" for camera, shift in enumerate((0, 350, 70, 385))]
    write_text(root / "calib/000007.txt", "\n".join(matrices))
    grey, colour = (make_dataset("kitti2012", tmp_path, split="test", grey=grey)[0] for grey in (True, False))
    assert (grey.left[0, 0, 1], grey.right[0, 0, 1], grey.camera.baseline_m) == (10, 20, 0.5)
    assert (colour.left[0, 0, 1], colour.right[0, 0, 1], colour.camera.baseline_m) == (30, 40, 0.45)


def test_kitti_2015_labels(tmp_path):
    """Rows of road, of two cars and a car without a number, of a numbered building, of a person."""
    ids = np.repeat(np.array([7, 26, 26, 26, 11, 24], np.uint8)[:, None], 8, 1)
    numbers = np.array([0, 1, 2, 0, 5, 1], np.uint16)[:, None]
    write_image(tmp_path / "training/image_2/000004_10.png", picture(60))
    write_image(tmp_path / "training/semantic/000004_10.png", ids)
    sample = make_dataset("kitti2015", tmp_path)[0]
    assert sample.semantic[:, 3].tolist() == [0, 5, 5, 5, 2, 6]
    assert (sample.right, sample.disparity_px, sample.camera, sample.instance) == (None, None, None, None)
    instance = write_image(tmp_path / "training/instance/000004_10.png", ids.astype(np.uint16) * 256 + numbers)
    sample = make_dataset("kitti2015", tmp_path)[0]
    assert sample.instance[:, 3].tolist() == [0, 26 * 256 + 1, 26 * 256 + 2, 0, 0, 24 * 256 + 1]
    write_image(instance, ids)
    with pytest.raises(ValueError, match=r"uint16 in .*instance/000004_10\.png, got uint8"):
        make_dataset("kitti2015", tmp_path)[0]
    instance.unlink()
    with pytest.raises(ValueError, match=r"instance/000004_10\.png, got none"):
        make_dataset("kitti2015", tmp_path)[0]


DRIVE = "2018-07-11-14-48-52"


@pytest.fixture
def driving_stereo(tmp_path):
    """A test drive in both sizes as the archives unpack, and a foggy pair."""
    frame = f"{DRIVE}_2018-07-11-14-50-08-769"
    truth = np.full((6, 8), 2560, np.uint16)
    truth[0, 0] = 0
    for size, fx in (("half", 1003.5), ("full", 2007.0)):
        for kind, pixels in (("left-image", picture(80)), ("right-image", picture(90)), ("disparity-map", truth)):
            suffix = "png" if kind == "disparity-map" or size == "full" else "jpg"
            write_image(tmp_path / f"test-{kind}/{kind}-{size}-size/{DRIVE}/{frame}.{suffix}", pixels)
            write_image(tmp_path / f"foggy/{kind}-{size}-size/{frame}.{suffix}", pixels)
        matrices = [f"{fx} 0 {cx} {shift} 0 {fx} 3 0 0 0 1 0" for cx, shift in ((4, 0), (3.5, -1092.9))]
        write_text(
            tmp_path / f"test-calib/{size}-image-calib/{DRIVE}.txt",
            f"S_101: 8 6\nP_rect_101: {matrices[0]}\nT_103: -0.5446 0.003 -0.002\nP_rect_103: {matrices[1]}\n",
        )
    return tmp_path


@pytest.mark.parametrize("split", ["test", "foggy"])
def test_drivingstereo_scales_both_sizes(driving_stereo, split):
    half = make_dataset("drivingstereo", driving_stereo, split=split)[0]
    full = make_dataset("drivingstereo", driving_stereo, split=split, size="full")[0]
    assert abs(int(half.left[0, 0, 0]) - 80) <= 2
    assert (half.disparity_px[1, 1], full.disparity_px[1, 1]) == (10, 20)
    assert np.isnan(half.disparity_px[0, 0])
    assert half.camera.baseline_m == pytest.approx(0.5446, abs=1e-4)
    assert half.true_depth_m()[1, 1] == pytest.approx(1003.5 * half.camera.baseline_m / 9.5)
    assert full.true_depth_m()[1, 1] == pytest.approx(2007 * half.camera.baseline_m / 19.5)
    assert (half.camera.left, full.camera.fx) == (Camera(1003.5, 1003.5, 4, 3, half.left.shape[:2]), 2007)


def test_drivingstereo_takes_the_region_images_that_are_there(driving_stereo):
    assert make_dataset("drivingstereo", driving_stereo, split="test")[0].regions is None
    left = next((driving_stereo / "test-left-image/left-image-half-size").rglob("*.jpg"))
    regions = np.full((6, 8, 3), (30, 20, 10), np.uint8)
    write_image(driving_stereo / "test-regions" / DRIVE / f"{left.stem}.png", regions)
    sample = make_dataset("drivingstereo", driving_stereo, split="test")[0]
    assert sample.regions[1, 2].tolist() == [30, 20, 10]


def test_drivingstereo_names_what_is_missing(driving_stereo):
    with pytest.raises(ValueError, match="train-left-image"):
        make_dataset("drivingstereo", driving_stereo)
    (driving_stereo / f"test-calib/half-image-calib/{DRIVE}.txt").unlink()
    with pytest.raises(ValueError, match=f"half-image-calib/{DRIVE}.txt"):
        make_dataset("drivingstereo", driving_stereo, split="test")[0]
