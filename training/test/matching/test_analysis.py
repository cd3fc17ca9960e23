# SPDX-License-Identifier: Apache-2.0
"""Matching curves: where their minimum lies, how flat they are, and what the command writes."""

import json
import math

import cv2
import depth_models
import numpy as np
import pytest
import torch
from depth_training.cli import PROGRAM
from depth_training.commands.analyse_matching import parse_pixel, typical_pixels
from depth_training.matching.analysis import (
    MatchingCurves,
    feature_curves,
    network_features,
    photometric_curves,
    regions,
    summarise_curves,
)
from torch.nn import functional

H, W, SHIFT, CANDIDATES = 40, 100, 6, 12


@pytest.fixture(scope="module")
def wall() -> tuple[torch.Tensor, torch.Tensor]:
    """A wall at disparity 6: noise on the left, one grey on the right."""
    torch.manual_seed(0)
    wide = functional.interpolate(torch.rand(1, 3, H // 2, W // 2 + 10) * 255, scale_factor=2.0)
    wide[..., 60:] = 120.0
    return wide[..., :W].round(), wide[..., SHIFT : W + SHIFT].round()


def test_the_least_cost_of_a_textured_wall_is_its_disparity(wall):
    curves = photometric_curves(*wall, CANDIDATES)
    assert curves.cost.shape == (CANDIDATES, H, W)
    assert (curves.best_px[:, CANDIDATES:56] == SHIFT).mean() > 0.99
    layers = [[functional.avg_pool2d(view, 2), view] for view in wall]
    features = feature_curves(*layers, (H, W), CANDIDATES, distance="l1")
    assert (features.best_px[:, CANDIDATES:56] == SHIFT).mean() > 0.95


def test_candidates_outside_the_right_view_are_no_predictions(wall):
    cost = photometric_curves(*wall, CANDIDATES).cost
    assert np.isnan(cost[5, :, :5]).all()
    assert np.isfinite(cost[5, :, 5:]).all()
    features = feature_curves([wall[0]], [wall[1]], (H, W), CANDIDATES).cost
    assert np.array_equal(np.isnan(features), np.isnan(cost))


def test_entropy_is_1_on_a_flat_curve_0_on_a_sharp_one_and_has_no_unit():
    cost = np.ones((8, 2, 3), np.float32)
    cost[3, 0, 0] = -100.0
    cost[1:, 1, 2] = np.nan
    entropy = MatchingCurves(cost + 20).entropy
    assert entropy[0, 1] == pytest.approx(1.0, abs=1e-5)
    assert entropy[0, 0] == pytest.approx(0.0, abs=1e-5)
    assert math.isnan(entropy[1, 2])
    curve = np.random.default_rng(0).random((8, 4, 5)).astype(np.float32)
    assert MatchingCurves(curve).entropy == pytest.approx(MatchingCurves(7 * curve).entropy, abs=1e-4)


def test_two_equal_candidates_have_the_entropy_of_a_coin():
    cost = np.full((8, 1, 1), 100.0, np.float32)
    cost[2], cost[5] = 0.0, 0.0
    assert MatchingCurves(cost).entropy[0, 0] == pytest.approx(math.log(2) / math.log(8), abs=2e-3)


def test_grey_walls_are_flat_and_errors_are_counted_by_region(wall):
    left = wall[0][0].permute(1, 2, 0).byte().numpy()
    truth = np.full((H, W), float(SHIFT), np.float32)
    truth[:10] = np.nan
    masks = regions(left, truth)
    assert masks["texture-less"][:, 70:].all()
    assert masks["textured"][:, :50].all()
    assert not masks["depth edges"].any()
    table = summarise_curves(photometric_curves(*wall, CANDIDATES), masks, truth)
    assert table["texture-less"]["entropy"] > 0.9 > 0.6 > table["textured"]["entropy"]
    assert table["textured"]["bad3"] < table["texture-less"]["bad3"]
    assert table["all"]["percent"] == 100
    assert set(summarise_curves(photometric_curves(*wall, 4), masks, None)["all"]) == {"percent", "entropy"}


def test_a_step_of_disparity_is_an_edge_and_the_ground_is_none():
    ground = np.repeat(np.arange(H, dtype=np.float32)[:, None], W, 1)
    step = ground.copy()
    step[:, 50:] += 10.0
    grey = np.zeros((H, W, 3), np.uint8)
    assert not regions(grey, ground)["depth edges"].any()
    edge = regions(grey, step)["depth edges"]
    assert edge[:, 46:54].all()
    assert edge.sum() == 8 * H
    assert not regions(grey, np.full((H, W), np.nan, np.float32))["depth edges"].any()


def test_pixels_are_parsed_and_chosen_inside_their_region():
    assert parse_pixel("7,3", 10, 5) == (7, 3)
    with pytest.raises(ValueError, match="X,Y in whole numbers"):
        parse_pixel("7;3", 10, 5)
    with pytest.raises(ValueError, match="inside 10x5"):
        parse_pixel("10,3", 10, 5)
    mask = np.zeros((H, W), bool)
    mask[4, 2], mask[20, 60] = True, True
    assert typical_pixels({"depth edges": mask}, CANDIDATES, None) == {"depth edges": (60, 20)}


def test_a_network_without_features_is_refused(wall):
    class Plain(torch.nn.Module):
        size_multiple = 4

        def forward(self, left, right):
            return {"disparity": left[:, :1]}

    with pytest.raises(ValueError, match="Plain, which gives"):
        network_features(Plain(), *wall)


def test_the_command_writes_table_and_picture(tmp_path, wall, capsys):
    pytest.importorskip("matplotlib")
    torch.manual_seed(0)
    config = {"width": 0.125}
    depth_models.save_weights(tmp_path / "w.pt", "dispnet", depth_models.build("dispnet", **config), config)
    for name, view in zip(("left", "right"), wall, strict=True):
        cv2.imwrite(str(tmp_path / f"{name}.png"), view[0].permute(1, 2, 0).byte().numpy())
    cv2.imwrite(str(tmp_path / "truth.png"), np.full((H, W), SHIFT * 256, np.uint16))
    paths = {name: str(tmp_path / f"{name}.png") for name in ("left", "right", "truth", "out")}
    options = ["--weights", str(tmp_path / "w.pt"), "--out", paths["out"], "--truth", paths["truth"]]
    options += ["--candidates", "12", "--layer", "0", "--pixel", "40,20", "--json", str(tmp_path / "t.json")]
    PROGRAM.run(["analyse-matching", paths["left"], paths["right"], *options])
    table = json.loads((tmp_path / "t.json").read_text())
    assert table["photometric"]["textured"]["bad3"] < 20
    assert "| textured | deep features |" in capsys.readouterr().out
    picture = cv2.imread(paths["out"])
    assert picture.shape[0] > 400
    assert picture.std() > 10
    with pytest.raises(ValueError, match=r"--layer 0..2"):
        PROGRAM.run(["analyse-matching", paths["left"], paths["right"], *options, "--layer", "3"])
