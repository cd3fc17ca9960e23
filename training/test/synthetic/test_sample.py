# SPDX-License-Identifier: Apache-2.0
"""Facts about the sample sequence: its folder holds what was rendered, identities and motion are steady."""

from __future__ import annotations

import functools
import json

import cv2
import numpy as np
import pytest
import torch
from depth_models.labels import LABELS, PERSON, SKY, VEHICLE
from depth_runtime.camera import StereoCamera
from depth_runtime.files.sequence_folder import TrueFrame, write_frame
from depth_training.cli import main
from depth_training.synthetic.sample import SampleConfig, SampleRenderer
from depth_training.synthetic.street import ego_path

SMALL = SampleConfig(frames=2, width=96, height=64, rate_hz=4.0, seed=1)


@pytest.fixture(scope="module")
def street() -> SampleRenderer:
    """The small street; its two samples are rendered once."""
    renderer = SampleRenderer(SMALL)
    renderer.sample = functools.cache(renderer.sample)
    return renderer


def test_the_folder_reads_back_as_it_was_rendered(tmp_path, street):
    options = ["--frames", "2", "--size", "96x64", "--rate", "4", "--seed", "1", "--processes", "1"]
    assert main(["sample", "--out", str(tmp_path), *options]) == 0
    read = lambda name: cv2.imread(str(tmp_path / name / "000001.png"), cv2.IMREAD_UNCHANGED)  # noqa: E731
    frame = street.frame(1)
    assert np.array_equal(read("left")[:, :, ::-1], frame.left)
    assert np.array_equal(read("right")[:, :, ::-1], frame.right)
    assert np.abs(read("disparity") / 256 - frame.disparity_px).max() <= 0.5 / 256
    assert np.array_equal(read("semantic"), frame.semantic)
    assert np.array_equal(read("instance"), frame.instance)
    assert read("disparity").dtype == read("instance").dtype == np.uint16
    assert [float(line) for line in (tmp_path / "timestamps.txt").read_text().split()] == [0.0, 0.25]
    calibration = json.loads((tmp_path / "calibration.json").read_text())
    cameras = {"fx": 76.8, "fy": 76.8, "cx_left": 47.5, "cy": 31.5, "cx_right": 47.5, "baseline_m": 0.42}
    assert calibration == pytest.approx({"width": 96, "height": 64, **cameras}, abs=1e-9)
    labels = json.loads((tmp_path / "labels.json").read_text())
    assert [(entry["id"], entry["name"], entry["thing"]) for entry in labels] == [
        (x.id, x.name, x.thing) for x in LABELS
    ]


def test_the_street_shows_traffic_people_and_sky(street):
    semantic = street.sample(0).semantic
    present = set(semantic.unique().tolist())
    assert present >= {label.id for label in LABELS}
    assert (semantic == VEHICLE).float().mean() > 0.02
    assert 0.05 < (semantic == SKY).float().mean() < 0.4


def test_the_sky_has_no_disparity_and_the_rest_has(street):
    sample = street.sample(0)
    assert torch.equal(sample.disparity[:, 0] == 0, sample.semantic == SKY)


def test_instances_are_things_and_keep_their_class_through_the_sequence(street):
    things = torch.tensor([label.id for label in LABELS if label.thing])
    label_of: dict[int, int] = {}
    for index in (0, 1):
        sample = street.sample(index)
        assert torch.equal(sample.instance > 0, torch.isin(sample.semantic, things))
        for key in sample.instance[sample.instance > 0].unique().tolist():
            label = sample.semantic[sample.instance == key].unique().tolist()
            assert len(label) == 1
            assert label_of.setdefault(key, label[0]) == label[0]
    assert sum(label == VEHICLE for label in label_of.values()) >= 3
    assert sum(label == PERSON for label in label_of.values()) >= 1


def test_parts_of_a_mover_share_id_and_velocity(street):
    scene = street.scene
    moving = 0
    for key in scene.instance.unique().tolist()[1:]:
        parts = scene.instance[0] == key
        assert len(scene.velocity[0, parts].unique(dim=0)) == 1
        assert len(scene.semantic[0, parts].unique()) == 1
        moving += bool(scene.velocity[0, parts].abs().max() > 0)
    assert moving >= 12
    assert not scene.velocity[0, scene.instance[0] == 0].any()


def test_the_camera_noise_depends_on_seed_and_frame_alone(street):
    assert np.array_equal(street.frame(0).left, street.frame(0).left)
    image = np.full((64, 96, 3), 100.0, np.float32)
    a, b = (street._camera(image, np.random.default_rng(seed)) for seed in (1, 2))
    assert not np.array_equal(a, b)
    assert 0.2 < a.std() < 1


def test_the_camera_drives_forward_at_its_speed():
    seconds = torch.linspace(0, 8, 81)
    position, rotation = ego_path(seconds)
    speed = (position.diff(dim=0).norm(dim=-1) / 0.1).squeeze()
    assert speed.min() > 4
    assert speed.max() < 5
    # It looks where it goes, to about a degree.
    travel = torch.nn.functional.normalize(position.diff(dim=0)[:, 0] * torch.tensor((1, 0, 1)), dim=-1)
    look = (rotation[1:, 0, :, 2] + rotation[:-1, 0, :, 2]) / 2
    assert (travel * look).sum(-1).min() > np.cos(np.radians(1.0))


def test_a_disparity_beyond_sixteen_bits_is_refused(tmp_path):
    image = np.zeros((4, 6, 3), np.uint8)
    frame = TrueFrame(image, image, np.full((4, 6), 256.5, np.float32), image[..., 0], image[..., 0].astype(np.uint16))
    with pytest.raises(ValueError, match=r"0\.\.256 px, got 256\.5"):
        write_frame(tmp_path, 0, frame)


def test_the_principal_point_is_between_the_middle_pixels():
    camera = SampleConfig(width=10, height=7).camera
    assert camera == StereoCamera(8.0, 8.0, 4.5, 4.5, 3.0, 0.42, (7, 10))
