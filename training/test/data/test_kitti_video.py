# SPDX-License-Identifier: Apache-2.0
"""KITTI odometry and raw: images, poses of the colour camera, lidar as depth of that camera."""

import shutil

import numpy as np
import pytest
from depth_runtime.camera import Camera
from depth_training.data import make_dataset
from depth_training.data.kitti_poses import imu_pose
from depth_training.data.lidar import project_depth
from tiny_files import picture, write_image, write_text

# fx 10, fy 12, cx 4, cy 3; the left colour camera stands 0.06 m left of camera 0, the right one 0.48 m right of it.
P0, P2, P3 = (f"10 0 4 {tx} 0 12 3 0 0 0 1 0" for tx in (0, 0.6, -4.8))
VELO_TO_CAM = (0, -1, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0)  # lidar x forward, y left, z up; same place as camera 0


def write_sweep(path, points):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.array([(*point, 0.5) for point in points], "<f4").tofile(path)


@pytest.fixture
def odometry(tmp_path):
    """Sequence 08, three frames, camera 0 driving 1.5 m per frame and turned by a quarter in the last one."""
    folder = tmp_path / "sequences/08"
    for i in range(3):
        write_image(folder / f"image_2/{i:06d}.png", picture(50 + i))
        write_image(folder / f"image_3/{i:06d}.png", picture(90))
        # Straight ahead of camera 0; a second point behind the first; one behind the car.
        write_sweep(folder / f"velodyne/{i:06d}.bin", [(6.0, 0, 0), (7.5, 0, 0), (-3, 0, 0)])
    transform = " ".join(map(str, VELO_TO_CAM))
    write_text(folder / "calib.txt", f"P0: {P0}\nP1: {P3}\nP2: {P2}\nP3: {P3}\nTr: {transform}\n")
    straight = [f"1 0 0 0 0 1 0 0 0 0 1 {1.5 * i}" for i in range(2)]
    write_text(tmp_path / "poses/08.txt", "\n".join([*straight, "0 0 1 0 0 1 0 0 -1 0 0 3"]))
    return tmp_path


def test_odometry_frame(odometry):
    frames = make_dataset("kitti-odometry", odometry, sequences=(8,))
    assert len(frames) == 3
    sample = frames[1]
    assert (sample.name, sample.left[0, 0, 0], sample.right[0, 0, 0]) == ("08/000001", 51, 90)
    assert sample.camera.left == Camera(10, 12, 4, 3, sample.left.shape[:2])
    assert sample.camera.baseline_m == pytest.approx(0.54)
    # In the left colour camera the point is 0.06 m to the right: u = 4 + 10 * 0.06 / 6.
    assert np.argwhere(np.isfinite(sample.depth_m)).tolist() == [[3, 4]]
    assert sample.depth_m[3, 4] == 6
    assert sample.disparity_px[3, 4] == pytest.approx(10 * 0.54 / 6)


def test_odometry_poses_are_those_of_the_left_colour_camera(odometry):
    frames = make_dataset("kitti-odometry", odometry, sequences=(8,))
    assert frames[1].pose[:3, 3] == pytest.approx([-0.06, 0, 1.5])
    # The last frame looks along world x, so its left is along world z.
    assert frames[2].pose[:3, 3] == pytest.approx([0, 0, 3.06])
    assert frames[2].pose[:3, :3] @ [0, 0, 1] == pytest.approx([1, 0, 0])


def test_odometry_video_of_one_camera(odometry):
    frames = make_dataset("kitti-odometry", odometry, sequences=(8,), stereo=False, neighbours=True)
    assert len(frames) == 1
    sample = frames[0]
    assert [image[0, 0, 0] for image in (sample.left, *sample.neighbours)] == [51, 50, 52]
    assert (sample.right, sample.disparity_px, type(sample.camera)) == (None, None, Camera)
    assert sample.depth_m[3, 4] == 6


def test_odometry_is_split_as_papers_do(odometry):
    for number in ("09", "10"):
        shutil.copytree(odometry / "sequences/08", odometry / "sequences" / number)
    val = make_dataset("kitti-odometry", odometry, split="val")
    assert [frame.name for frame in val] == [f"{number}/{i:06d}" for number in ("09", "10") for i in range(3)]
    assert val[0].pose is None  # there is no list of poses for it


def test_odometry_names_what_is_wrong(odometry):
    for split, first in (("train", "00"), ("val", "09"), ("test", "11")):
        with pytest.raises(ValueError, match=f"sequences/{first}/image_2"):
            make_dataset("kitti-odometry", odometry, split=split)
    sweep = odometry / "sequences/08/velodyne/000002.bin"
    sweep.write_bytes(sweep.read_bytes()[:-2])
    with pytest.raises(ValueError, match=r"four float32 in .*000002\.bin, got 46"):
        make_dataset("kitti-odometry", odometry, sequences=(8,))[2]
    write_text(odometry / "poses/08.txt", "1 0 0\n")
    with pytest.raises(ValueError, match=r"line 1 of .*08\.txt, got 3"):
        make_dataset("kitti-odometry", odometry, sequences=(8,))
    write_text(odometry / "poses/08.txt", "1 0 0 0 0 1 0 0 0 0 1 0\n")
    with pytest.raises(ValueError, match="a pose for each of 3 images of 08, got 1"):
        make_dataset("kitti-odometry", odometry, sequences=(8,))


@pytest.fixture
def raw(tmp_path):
    """A drive of two frames; the IMU looks north, stands where camera 0 does, and moves north."""
    day, drive = tmp_path / "2011_09_26", "2011_09_26_drive_0002_sync"
    for i in range(2):
        name = f"{i:010d}"
        for camera in (2, 3):
            write_image(day / drive / f"image_{camera:02d}/data/{name}.png", picture(10 * camera + i))
        write_sweep(day / drive / f"velodyne_points/data/{name}.bin", [(6.0, 0, 0)])
        packet = f"{49 + 1e-5 * i} 8.4 116.0 0 0 {np.pi / 2} 0 0 0"
        write_text(day / drive / f"oxts/data/{name}.txt", packet)
    rotation = " ".join(str(VELO_TO_CAM[4 * r + c]) for r in range(3) for c in range(3))
    write_text(
        day / "calib_cam_to_cam.txt",
        f"calib_time: 09-Jan-2012 13:57:47\nR_rect_00: 1 0 0 0 1 0 0 0 1\nP_rect_02: {P2}\nP_rect_03: {P3}\n",
    )
    write_text(day / "calib_velo_to_cam.txt", f"calib_time: 15-Mar-2012 11:37:16\nR: {rotation}\nT: 0 0 0\n")
    write_text(day / "calib_imu_to_velo.txt", "calib_time: 25-May-2012 16:47:16\nR: 1 0 0 0 1 0 0 0 1\nT: 0 0 0\n")
    return tmp_path


def test_raw_frame(raw):
    frames = make_dataset("kitti-raw", raw)
    assert len(frames) == 2
    sample = frames[1]
    assert (sample.name, sample.left[0, 0, 0]) == ("2011_09_26_drive_0002_sync/0000000001", 21)
    assert sample.right[0, 0, 0] == 31
    assert sample.depth_m[3, 4] == 6
    assert sample.disparity_px[3, 4] == pytest.approx(0.9)
    # One hundred-thousandth of a degree of latitude is 1.113 m on the sphere; left of north is west.
    assert sample.pose[:3, 3] == pytest.approx([-0.06, 1.1132, 0], abs=1e-3)
    assert sample.pose[:3, :3] @ [0, 0, 1] == pytest.approx([0, 1, 0], abs=1e-9)
    assert sample.pose[:3, :3] @ [0, 1, 0] == pytest.approx([0, 0, -1], abs=1e-9)


def test_raw_lidar_is_rectified_and_cameras_may_have_their_own_centre(raw):
    day = raw / "2011_09_26"
    # A quarter turn about the optical axis: what was left of camera 0 is above it; cx of the right camera is 3.5.
    right = P3.replace("10 0 4", "10 0 3.5")
    write_text(day / "calib_cam_to_cam.txt", f"R_rect_00: 0 -1 0 1 0 0 0 0 1\nP_rect_02: {P2}\nP_rect_03: {right}\n")
    write_sweep(day / "2011_09_26_drive_0002_sync/velodyne_points/data/0000000000.bin", [(6.0, 0.6, 0)])
    sample = make_dataset("kitti-raw", raw)[0]
    assert np.argwhere(np.isfinite(sample.depth_m)).tolist() == [[2, 4]]  # v = 3 - 12 * 0.6 / 6
    assert sample.camera.disparity_shift_px == 0.5
    assert sample.disparity_px[2, 4] == pytest.approx(10 * 0.54 / 6 + 0.5)
    assert sample.true_depth_m()[2, 4] == 6


def test_raw_drives_are_chosen_by_name(raw):
    with pytest.raises(ValueError, match="2011_09_28_drive_0001_sync/image_02"):
        make_dataset("kitti-raw", raw, drives=["2011_09_28_drive_0001_sync"])
    with pytest.raises(ValueError, match=r"DATE_drive_NUMBER_sync folders in .*empty"):
        make_dataset("kitti-raw", raw / "empty")
    mono = make_dataset("kitti-raw", raw, drives=["2011_09_26_drive_0002_sync"], stereo=False)
    assert mono[0].right is None
    (raw / "2011_09_26/2011_09_26_drive_0002_sync/oxts/data/0000000001.txt").write_text("49 x")
    with pytest.raises(ValueError, match=r"0000000001\.txt"):
        make_dataset("kitti-raw", raw)


def test_raw_frames_are_chosen_by_a_published_list(raw):
    drive = "2011_09_26/2011_09_26_drive_0002_sync"
    # Numbers come with and without leading zeros.
    listing = write_text(raw / "test_files.txt", f"{drive} 0000000001 r\n{drive} 0 l\n{drive} 1 l\n")
    pairs = make_dataset("kitti-raw", raw, split_file=str(listing))
    assert [pair.name[-10:] for pair in pairs] == ["0000000001", "0000000000"]
    assert [pair.left[0, 0, 0] for pair in pairs] == [21, 20]
    views = make_dataset("kitti-raw", raw, split_file=listing, stereo=False)
    assert [view.name[-16:] for view in views] == ["0000000001/right", "_sync/0000000000", "_sync/0000000001"]
    assert [view.left[0, 0, 0] for view in views] == [31, 20, 21]
    # The right camera stands 0.48 m right of the lidar: u = 4 - 10 * 0.48 / 6 rounds to 3.
    assert np.argwhere(np.isfinite(views[0].depth_m)).tolist() == [[3, 3]]
    assert views[0].pose[:3, 3] == pytest.approx([0.48, 1.1132, 0], abs=1e-3)


def test_raw_lists_name_what_is_wrong(raw):
    drive = "2011_09_26/2011_09_26_drive_0002_sync"
    listing = write_text(raw / "files.txt", f"{drive} 0000000000 l\n{drive} 0000000007 l\n")
    with pytest.raises(ValueError, match=r"frame 7 of .*files\.txt in .*drive_0002_sync, got none"):
        make_dataset("kitti-raw", raw, split_file=listing)
    with pytest.raises(ValueError, match=r"frame 0 of .*files\.txt with both neighbours"):
        make_dataset("kitti-raw", raw, split_file=listing, neighbours=True)
    with pytest.raises(ValueError, match=r"got both \['a'\] and .*files\.txt"):
        make_dataset("kitti-raw", raw, split_file=listing, drives=["a"])
    write_text(listing, f"{drive} 0 l\n{drive} 1\n")
    with pytest.raises(ValueError, match=r"l or r in line 2 of .*files\.txt, got '.* 1'"):
        make_dataset("kitti-raw", raw, split_file=listing)


def test_imu_pose_turns_by_roll_pitch_and_yaw():
    first = (49.0, 8.0, 100.0, 0.0, 0.0, 0.0)
    pose = imu_pose((49.0, 8.0, 103.0, 0.1, 0.2, 0.3), first)
    assert pose[:3, 3] == pytest.approx([0, 0, 3])
    # A degree of longitude shrinks with the cosine of the latitude.
    east = imu_pose((49.0, 8.00001, 100.0, 0, 0, 0), first)
    assert east[:3, 3] == pytest.approx([6378137 * np.radians(1e-5) * np.cos(np.radians(49)), 0, 0], abs=1e-4)
    # The nose (x) sinks by pitch and turns by yaw; roll does not move it.
    assert pose[:3, 0] == pytest.approx([np.cos(0.2) * np.cos(0.3), np.cos(0.2) * np.sin(0.3), -np.sin(0.2)])
    assert pose[2, 1] == pytest.approx(np.sin(0.1) * np.cos(0.2))


def test_the_nearest_point_of_a_pixel_counts():
    projection = np.array([[10.0, 0, 4, 0], [0, 12, 3, 0], [0, 0, 1, 0]])
    points = np.array(
        [[0, 0, 9.0], [0, 0, 5], [0, 0, 7], [0, 0, -5], [50, 0, 5], [0.8, -0.5, 4], [0.7, 0.25, 10], [2.0, 0, 5]]
    )
    depth_m = project_depth(points, projection, 6, 8)
    assert depth_m[3, 4] == 5
    assert depth_m[2, 6] == 4  # u = 4 + 2, v = 3 - 1.5 rounds to even
    assert depth_m[3, 5] == 10  # u = 4.7, v = 3.3; the last one has u = 8, which is outside
    assert np.isfinite(depth_m).sum() == 3
