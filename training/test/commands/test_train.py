# SPDX-License-Identifier: Apache-2.0
"""`train` on a folder of pairs, and `predict` with what it leaves."""

import json
from pathlib import Path

import cv2
import depth_models
import numpy as np
import pytest
import torch
from depth_runtime.files.images import read_rgb
from depth_runtime.files.sequence_folder import TrueFrame, write_frame
from depth_training.cli import PROGRAM
from depth_training.commands.predict import find_pairs
from depth_training.evaluation.methods import make_method

CONFIG = Path(__file__).parents[2] / "configs" / "smoke.toml"
SHIFT = 6


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Three textured pairs of 100 x 70 px that lie 6 px apart, as a plain sequence folder."""
    folder = tmp_path_factory.mktemp("pairs")
    for index in range(3):
        wide = np.random.default_rng(index).integers(0, 256, (70, 100 + SHIFT, 3), dtype=np.uint8)
        truth = np.full((70, 100), SHIFT, np.float32)
        labels = np.full((70, 100), 2, np.uint8)
        write_frame(
            folder, index, TrueFrame(wide[:, :100], wide[:, SHIFT:], truth, labels, np.zeros((70, 100), np.uint16))
        )
    return folder


def train(pairs: Path, out: Path, *more: str) -> None:
    texts = (
        *("data.dataset=plain", f"data.root={pairs}", "data.height=64", "data.width=64", "data.batch=2"),
        *("log.validation_batches=1", "log.every_steps=1", "world.computed_textures=4", "schedule.steps=3"),
    )
    overrides = [part for text in texts for part in ("--set", text)]
    PROGRAM.run(["train", str(CONFIG), "--out", str(out), "--threads", "1", *overrides, *more])


@pytest.fixture(scope="module")
def finished(pairs, tmp_path_factory):
    """A run in two time boxes."""
    out = tmp_path_factory.mktemp("run") / "out"
    threads = torch.get_num_threads()
    train(pairs, out, "--minutes", "0")
    stopped = json.loads((out / "metrics.json").read_text())["steps"]
    train(pairs, out, "--resume")
    torch.set_num_threads(threads)
    return out, stopped


def test_a_time_box_stops_a_run_and_resume_finishes_it(finished):
    out, stopped = finished
    metrics = json.loads((out / "metrics.json").read_text())
    assert stopped == 1
    assert (metrics["steps"], metrics["progress"]) == (3, 1.0)
    assert {"loss", "epe", "d1", "bad2"} <= set(metrics["validation"])


def test_weights_carry_the_recipe_and_the_network_s_config(finished, pairs):
    network, name, metadata = depth_models.load_weights(finished[0] / "weights.pt")
    assert (name, network.config.levels, network.config.aggregate_widths) == ("stereo_s", 16, (24, 32, 48))
    assert (metadata["steps"], metadata["data"]) == (3, "plain")
    assert metadata["recipe"]["optimiser"]["learning_rate"] == 2e-3
    assert metadata["recipe"]["data"]["root"] == pairs.name  # no folder of the machine reaches the exported file


def test_tensorboard_holds_scalars_and_panels(finished):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(finished[0] / "tensorboard"), {"images": 0, "scalars": 0})
    events.Reload()
    assert [event.step for event in events.Scalars("train/loss")] == [1, 2, 3]
    panel = events.Images("left, truth, prediction, confidence")[-1]
    assert (panel.width, panel.height) == (4 * 64, 2 * 64)


def test_a_second_run_does_not_overwrite_the_first(pairs, finished):
    before = (finished[0] / "last.pt").read_bytes()
    with pytest.raises(ValueError, match=r"expected no run in .*add --resume"):
        train(pairs, finished[0])
    assert (finished[0] / "last.pt").read_bytes() == before


@pytest.mark.parametrize("model", ["last.pt", "weights.pt"])
def test_predict_writes_disparity_for_every_pair_of_two_folders(pairs, finished, tmp_path, model):
    PROGRAM.run(
        [
            "predict",
            str(pairs / "left"),
            str(pairs / "right"),
            "--model",
            str(finished[0] / model),
            "--out",
            str(tmp_path),
        ]
    )
    names = [f"{i:06d}_{kind}.png" for i in range(3) for kind in ("color", "disparity")]
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    disparity = cv2.imread(str(tmp_path / "000001_disparity.png"), cv2.IMREAD_UNCHANGED)
    assert (disparity.shape, disparity.dtype) == ((70, 100), np.uint16)


def test_predict_with_the_zoo_network_finds_the_shift(pairs, tmp_path):
    left, right = (str(pairs / side / "000002.png") for side in ("left", "right"))
    PROGRAM.run(["predict", left, right, "--model", "stereo_s", "--out", str(tmp_path)])
    disparity = cv2.imread(str(tmp_path / "000002_disparity.png"), cv2.IMREAD_UNCHANGED) / 256
    assert np.median(disparity) == pytest.approx(SHIFT, abs=0.5)


def test_the_torch_network_predicts_like_its_exported_file(pairs, tmp_path):
    left, right = (str(pairs / side / "000000.png") for side in ("left", "right"))
    weights = str(CONFIG.parents[1] / "weights" / "stereo_s.pt")
    predictions = []
    for name, model in (("torch", weights), ("file", "stereo_s")):
        PROGRAM.run(["predict", left, right, "--model", model, "--out", str(tmp_path / name)])
        predictions.append(cv2.imread(str(tmp_path / name / "000000_disparity.png"), cv2.IMREAD_UNCHANGED) / 256)
    np.testing.assert_allclose(*predictions, atol=0.05)


def test_a_checkpoint_can_be_evaluated_beside_exported_files(pairs, finished):
    images = [read_rgb(pairs / side / "000000.png") for side in ("left", "right")]
    predictions = {}
    for name in ("last.pt", "weights.pt"):
        label, method = make_method(f"checkpoint:{finished[0] / name}", 1)
        assert label == name[:-3]
        predictions[name] = method(dict(zip(("left", "right"), images, strict=True)))
    assert predictions["last.pt"].confidence.shape == (70, 100)
    disparities = [prediction.disparity_px for prediction in predictions.values()]
    np.testing.assert_allclose(*disparities, atol=0.5)  # weights.pt is rounded to FP16
    assert disparities[0].std() > 0


def test_pairs_without_a_partner_are_named(pairs, tmp_path):
    (tmp_path / "left").mkdir()
    (tmp_path / "left" / "000007.png").write_bytes((pairs / "left" / "000000.png").read_bytes())
    with pytest.raises(ValueError, match=r"named 000007 in .*right to match .*left.000007\.png, got none"):
        find_pairs(tmp_path / "left", pairs / "right")
    with pytest.raises(ValueError, match=r"expected two images or two folders"):
        find_pairs(tmp_path / "left", pairs / "right" / "000000.png")
    with pytest.raises(ValueError, match=r"got nothing at .*missing"):
        find_pairs(tmp_path / "missing", pairs / "right")


def test_inputs_that_cannot_be_predicted_say_why(pairs, tmp_path):
    first = (pairs / "left" / "000000.png").read_bytes()
    for name in ("a.png", "a.jpg"):
        (tmp_path / name).write_bytes(first)
    with pytest.raises(ValueError, match=r"one image of each name, got .*a\.jpg and a\.png"):
        find_pairs(tmp_path, tmp_path)
    with pytest.raises(ValueError, match=r"images \(\.png, .* \(one folder deeper\?\), got none"):
        find_pairs(pairs, pairs)
    left, model = str(pairs / "left" / "000000.png"), ("--model", "stereo_s", "--out")
    small = tmp_path / "small.png"
    cv2.imwrite(str(small), cv2.imread(left)[:-2])
    with pytest.raises(ValueError, match=r"one size, got 100x70 and 100x68 in .*000000\.png and .*small\.png"):
        PROGRAM.run(["predict", left, str(small), *model, str(tmp_path / "out")])
    with pytest.raises(ValueError, match=r"--out apart from the images, got their folder .*left"):
        PROGRAM.run(["predict", left, left, *model, str(pairs / "left")])
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(ValueError, match=r"whole image in .*text\.png"):
        PROGRAM.run(["predict", left, str(tmp_path / "text.png"), *model, str(tmp_path / "out")])
