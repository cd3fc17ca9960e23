# SPDX-License-Identifier: Apache-2.0
"""What a run reads first: data that it cannot learn from is refused before anything is rendered."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from depth_runtime.files.sequence_folder import TrueFrame, write_frame
from depth_training.batches.config import DataConfig, MixConfig
from depth_training.cli import PROGRAM
from depth_training.data import Sample
from depth_training.engine import run_data
from depth_training.engine.config import UnlabelledConfig, ValidationConfig
from depth_training.engine.run_data import RunData
from depth_training.engine.usable_truth import sample_with_truth
from depth_training.objectives import make_objective
from tiny_recipes import ALONE, make_trainer, recipe, write_folders

STEREO, CLASSES = (make_objective(name, {}, 30.0, "loss.options") for name in ("panoptic_stereo", "panoptic"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Those of tiny_recipes, and "blank": pairs whose disparity files are there and say nothing."""
    root = tmp_path_factory.mktemp("pairs")
    for index in range(3):
        image, zeros = np.full((24, 40, 3), 90, np.uint8), np.zeros((24, 40), np.uint16)
        labels = np.full((24, 40), 255, np.uint8)
        write_frame(root / "blank", index, TrueFrame(image, image, zeros.astype(np.float32), labels, zeros))
    return write_folders(root) | {"blank": str(root / "blank")}


def mixed_with(folders, name: str):
    return recipe(folders, mix=(MixConfig(dataset="plain", root=folders[name]),))


def test_a_section_without_usable_truth_is_refused_by_name(folders):
    RunData(mixed_with(folders, "grey"), ALONE).check()
    message = r"expected disparity_px for objective 'tiny_truth' in \[\[mix\]\] number 1, got none in 3 of 3 samples "
    with pytest.raises(ValueError, match=message + r"\(first 'blank/000000'\): .* 30 \(loss.max_disparity_px\).*check"):
        RunData(mixed_with(folders, "blank"), ALONE).check()
    blank = recipe(folders, validation=ValidationConfig(dataset="plain", root=folders["blank"]))
    with pytest.raises(ValueError, match=r"in \[validation\], got none"):
        RunData(blank, ALONE).check()
    far = recipe(folders)
    with pytest.raises(ValueError, match=r"in \[data\], got none .* from 0 to 4 \(loss.max_disparity_px\)"):
        RunData(replace(far, loss=replace(far.loss, max_disparity_px=4.0)), ALONE).check()  # all truth is 5 px


def test_nothing_is_rendered_before_the_data_is_read(folders, tmp_path, monkeypatch):
    monkeypatch.setattr(run_data, "make_world", lambda *_: pytest.fail("rendered"))
    lines = ('network.name = "tiny"', 'loss.objective = "tiny_truth"')
    mix = f'mix = [{{ dataset = "plain", root = "{folders["blank"]}" }}]'
    (tmp_path / "recipe.toml").write_text("\n".join([*lines, mix]))
    with pytest.raises(ValueError, match=r"\[\[mix\]\] number 1, got none"):
        PROGRAM.run(["train", str(tmp_path / "recipe.toml"), "--out", str(tmp_path / "out")])
    assert not list((tmp_path / "out").iterdir())


def test_pairs_without_truth_may_be_unlabelled_and_their_views_are_tried(folders):
    unlabelled = UnlabelledConfig(dataset="plain", root=folders["blank"], objective="tiny_images", augmented=False)
    RunData(recipe(folders, unlabelled=unlabelled), ALONE).check()
    wide = replace(unlabelled, width=64)
    with pytest.raises(ValueError, match=r"at least 64x16, got 40x24 in 'blank/000000'"):
        RunData(recipe(folders, unlabelled=wide), ALONE).check()
    with pytest.raises(ValueError, match=r"an unlabelled.objective that needs no truth, got 'tiny_truth'"):
        replace(unlabelled, objective="tiny_truth")


def sample(disparity: float = np.nan, label: int = 255, name: str = "a") -> Sample:
    left, right = np.zeros((2, 8, 16, 3), np.uint8)
    disparity_px, semantic = np.full((8, 16), disparity, np.float32), np.full((8, 16), label, np.uint8)
    return Sample(left=left, right=right, disparity_px=disparity_px, semantic=semantic, name=name)


def test_one_sample_with_truth_among_those_read_is_enough():
    blanks = [sample() for _ in range(20)]
    assert sample_with_truth("[data]", [*blanks, sample(5, name="z")], STEREO).name == "z"
    assert sample_with_truth("[data]", [sample(name="a"), sample(label=2, name="b")], STEREO).name == "b"
    with pytest.raises(ValueError, match=r"expected disparity_px or semantic .* got none in 8 of 20 samples"):
        sample_with_truth("[data]", blanks, STEREO)
    with pytest.raises(ValueError, match=r"expected semantic .* got none in 1 of 1 samples"):
        sample_with_truth("[data]", [sample(5)], CLASSES)  # disparity teaches no classes


def test_frames_of_one_camera_are_told_from_pairs():
    with pytest.raises(ValueError, match=r"stereo pairs in \[data\], got one view in 'a'; .*classes_only"):
        sample_with_truth("[data]", [replace(sample(5), right=None)], STEREO)


def test_validation_reads_where_the_data_lie_unless_it_has_a_root_of_its_own(folders):
    config = recipe(folders, validation=ValidationConfig(dataset="plain", pairs=1))
    assert RunData(config, ALONE).validation(8)[0].left[0, 0, 0, 0] == 10
    other = replace(config, validation=replace(config.validation, root=folders["bright"]))
    assert RunData(other, ALONE).validation(8)[0].left[0, 0, 0, 0] == 200


def test_a_run_says_what_it_reads_and_renders(folders, caplog):
    caplog.set_level("INFO")
    config = recipe(folders, data=DataConfig(height=16, width=24, batch=2), mix=mixed_with(folders, "grey").mix)
    config = replace(config, log=replace(config.log, validation_batches=1))
    config = replace(config, world=replace(config.world, computed_textures=3, drive=0.0, indoor=1.0, flying=0.0))
    data = RunData(config, ALONE)
    data.check()
    data.validation(8)
    assert caplog.messages == [
        "reading a sample of [[mix]] number 1",
        "textures: computing 3",
        "rendering validation scenes: 1 batches of 2",
    ]


@pytest.mark.parametrize("factor", [torch.nan, 0.0])
def test_a_run_whose_steps_teach_nothing_does_not_finish(folders, tmp_path, factor):
    trainer = make_trainer(recipe(folders))
    for parameter in trainer.network.parameters():
        parameter.register_hook(lambda gradient: gradient * factor)
    with pytest.raises(ValueError, match=r"finite gradient above 0 in some step, got none in 12; check the truth"):
        trainer.run(tmp_path, [])
    assert not (tmp_path / "last.pt").exists()


def test_a_single_broken_step_does_not_end_a_run(folders, tmp_path):
    trainer = make_trainer(recipe(folders))
    weight = trainer.network.disparity.weight
    weight.register_hook(lambda gradient: gradient * (torch.nan if trainer.step == 0 else 1.0))
    assert trainer.run(tmp_path, [])
    assert trainer.skipped.item() == 1
