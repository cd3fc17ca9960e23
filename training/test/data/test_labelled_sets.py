# SPDX-License-Identifier: Apache-2.0
"""Readers of sets with classes and instances, on tiny files in each set's own format."""

import json

import numpy as np
import pytest
from depth_runtime.camera import Camera
from depth_training.data import make_dataset
from tiny_files import picture, write_image, write_indexed_png, write_text


def test_camvid_of_both_layouts(tmp_path):
    ids = np.full((6, 8), 8, np.uint8)
    write_image(tmp_path / "train/0001TP_006690.png", picture(200))
    write_image(tmp_path / "train/0001TP_006690_semantic.png", ids)
    write_image(tmp_path / "val/a.png", picture(100))
    write_image(tmp_path / "valannot/a.png", ids)
    train, val = make_dataset("camvid", tmp_path)[0], make_dataset("camvid", tmp_path, split="val")[0]
    assert (train.name, train.left[0, 0, 0]) == ("0001TP_006690", 200)
    assert (val.name, val.left[0, 0, 0]) == ("a", 100)
    assert (train.semantic == 5).all()
    assert (train.instance, train.right) == (None, None)
    with pytest.raises(ValueError, match=r"images named \*_semantic at .*test"):
        make_dataset("camvid", tmp_path, split="test")


@pytest.fixture
def cityscapes(tmp_path):
    """One frame of Aachen with everything: a car with an instance, a group of cars, road."""
    name = "train/aachen/aachen_000000_000019"
    write_image(tmp_path / f"leftImg8bit/{name}_leftImg8bit.png", picture(10))
    write_image(tmp_path / f"rightImg8bit/{name}_rightImg8bit.png", picture(20))
    disparity = np.full((6, 8), 641, np.uint16)
    disparity[3, 1] = 0
    write_image(tmp_path / f"disparity/{name}_disparity.png", disparity)
    labels, instances = np.full((6, 8), 7, np.uint8), np.full((6, 8), 7, np.uint16)
    labels[0], instances[0] = 26, 26002
    labels[1], instances[1] = 26, 26
    write_image(tmp_path / f"gtFine/{name}_gtFine_labelIds.png", labels)
    write_image(tmp_path / f"gtFine/{name}_gtFine_instanceIds.png", instances)
    camera = {
        "extrinsic": {"baseline": 0.209313, "pitch": 0.038, "roll": 0.0, "x": 1.7, "y": 0.1, "yaw": -0.0195, "z": 1.22},
        "intrinsic": {"fx": 2262.52, "fy": 2265.3017905988554, "u0": 1096.98, "v0": 513.137},
    }
    write_text(tmp_path / f"camera/{name}_camera.json", json.dumps(camera))
    return tmp_path


def test_cityscapes_frame(cityscapes):
    sample = make_dataset("cityscapes", cityscapes)[0]
    assert (sample.name, sample.left[0, 0, 0], sample.right[0, 0, 0]) == ("aachen_000000_000019", 10, 20)
    assert sample.disparity_px[0, 0] == 2.5
    assert np.isnan(sample.disparity_px[3, 1])
    assert sample.semantic[:3, 0].tolist() == [5, 5, 0]
    assert sample.instance[:3, 0].tolist() == [26002, 0, 0]
    assert sample.camera.left == Camera(2262.52, 2265.3017905988554, 1096.98, 513.137, sample.left.shape[:2])
    assert sample.true_depth_m()[0, 0] == pytest.approx(2262.52 * 0.209313 / 2.5, rel=1e-5)


def test_cityscapes_names_what_is_wrong(cityscapes):
    path = cityscapes / "camera/train/aachen/aachen_000000_000019_camera.json"
    path.write_text('{"intrinsic": {}}')
    with pytest.raises(ValueError, match=r"camera\.json, got KeyError\('fx'\)"):
        make_dataset("cityscapes", cityscapes)[0]
    with pytest.raises(ValueError, match="leftImg8bit/val"):
        make_dataset("cityscapes", cityscapes, split="val")
    (cityscapes / "gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png").unlink()
    with pytest.raises(ValueError, match=r"gtFine_labelIds\.png, got none"):
        make_dataset("cityscapes", cityscapes)[0]


@pytest.fixture(params=[True, False], ids=["one folder", "a folder per archive"])
def virtual_kitti(request, tmp_path):
    """Three frames of one drive, 2 m apart; 5 m deep with one pixel of sky; one tracked car."""

    def archive(kind):
        return tmp_path / ("" if request.param else f"vkitti_2.0.3_{kind}") / "Scene20/fog"

    depth, classes, tracks = np.full((6, 8), 500, np.uint16), picture(0), np.zeros((6, 8), np.uint8)
    depth[2, 6] = 65535
    classes[:], classes[1] = (100, 60, 100), (255, 127, 80)
    tracks[1] = 41
    inside, outside = "frame cameraID K[0,0] K[1,1] K[0,2] K[1,2]\n", "frame cameraID r1,1 r1,2 r1,3 t1 ...\n"
    for frame in range(3):
        name = f"{frame:05d}"
        for camera in (0, 1):
            write_image(archive("rgb") / f"frames/rgb/Camera_{camera}/rgb_{name}.jpg", picture(40 * frame + 10))
            write_image(archive("depth") / f"frames/depth/Camera_{camera}/depth_{name}.png", depth)
            inside += f"{frame} {camera} 725.0087 726 620.5 187\n"
            outside += f"{frame} {camera} 1 0 0 {-0.532725 * camera} 0 1 0 0 0 0 1 {-2.0 * frame} 0 0 0 1\n"
        write_image(archive("classSegmentation") / f"frames/classSegmentation/Camera_0/classgt_{name}.png", classes)
        track = archive("instanceSegmentation") / f"frames/instanceSegmentation/Camera_0/instancegt_{name}.png"
        write_indexed_png(track, tracks)
    write_text(archive("textgt") / "intrinsic.txt", inside)
    write_text(archive("textgt") / "extrinsic.txt", outside)
    return tmp_path


def test_virtual_kitti_frame(virtual_kitti):
    frames = make_dataset("virtual-kitti2", virtual_kitti, split="val", variations=("fog",), neighbours=True)
    assert len(frames) == 1
    sample = frames[0]
    assert sample.name == "Scene20/fog/00001"
    assert [int(image[3, 4, 0]) for image in (sample.left, *sample.neighbours)] == pytest.approx([50, 10, 90], abs=3)
    assert sample.depth_m[0, 0] == 5
    assert np.isnan(sample.depth_m[2, 6])
    assert sample.disparity_px[0, 0] == pytest.approx(725.0087 * 0.532725 / 5)
    assert sample.occluded.all() == np.isfinite(sample.disparity_px).all()
    assert sample.semantic[:2, 0].tolist() == [0, 5]
    assert np.unique(sample.instance).tolist() == [0, 41]
    assert sample.camera.left == Camera(725.0087, 726, 620.5, 187, sample.left.shape[:2])
    assert sample.camera.baseline_m == pytest.approx(0.532725)
    assert sample.pose[:3, 3].tolist() == [0, 0, 2]


def test_virtual_kitti_names_what_is_wrong(virtual_kitti):
    with pytest.raises(ValueError, match=r"Scene01.*clone.*got none"):
        make_dataset("virtual-kitti2", virtual_kitti)
    frames = make_dataset("virtual-kitti2", virtual_kitti, variations=("fog",))
    tracks = next(virtual_kitti.rglob("instancegt_00002.png"))
    tracks.write_bytes(tracks.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"instancegt_00002\.png"):
        frames[2]


def test_virtual_kitti_cameras_must_be_listed(virtual_kitti):
    write_text(next(virtual_kitti.rglob("intrinsic.txt")), "frame cameraID\n0 0 725\n")
    with pytest.raises(ValueError, match=r"4 numbers after frame and camera in .*intrinsic\.txt, got '0 0 725'"):
        make_dataset("virtual-kitti2", virtual_kitti, variations=("fog",))[0]
