# SPDX-License-Identifier: Apache-2.0
"""Readers of sets with classes and instances, on tiny files in each set's own format."""

import json

import numpy as np
import pytest
from depth_training.data import make_dataset
from tiny_files import picture, write_image, write_text


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
    with pytest.raises(ValueError, match=r"_semantic\.png files in .*test"):
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
    assert sample.intrinsics == pytest.approx((2262.52, 2265.30179, 1096.98, 513.137))
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
