# SPDX-License-Identifier: Apache-2.0
"""Targets and losses of the panoptic head, against values worked out by hand."""

import numpy as np
import pytest
import torch
from depth_models.panoptic.head import Panoptic
from depth_training.panoptic.batch_targets import panoptic_batch_targets
from depth_training.panoptic.losses import panoptic_losses

HEIGHT, WIDTH = 64, 96
ROAD, BUILDING, CAR, PERSON, UNLABELLED = 0, 2, 5, 6, 255


def one_car() -> tuple[torch.Tensor, torch.Tensor]:
    """Labels, instances [1, H, W]: a car of 8 x 12 cells (rows 5..12, columns 10..21) on a road, unlabelled above."""
    semantic = torch.full((1, HEIGHT, WIDTH), ROAD)
    semantic[:, :8] = UNLABELLED
    semantic[:, 20:52, 40:88] = CAR
    return semantic, torch.where(semantic == CAR, 3, 0)


def targets_of(semantic, instance, has_instances=True) -> dict[str, torch.Tensor]:
    return panoptic_batch_targets(semantic, instance, torch.tensor([has_instances] * len(semantic)))


def test_heat_peaks_at_the_centre_and_offsets_point_there():
    targets = {name: value[0] for name, value in targets_of(*one_car()).items()}
    y, x = divmod(int(targets["heat"][0].argmax()), WIDTH // 4)
    assert y in (8, 9)  # rows 5..12 have their middle at 8.5
    assert x in (15, 16)
    assert targets["offset"][:, 5, 10].tolist() == [5.5, 3.5]
    assert targets["offset"][:, 12, 21].tolist() == [-5.5, -3.5]
    assert targets["offset_known"].sum() == 8 * 12
    assert not targets["heat_known"][0, :2].any()


def test_without_instances_only_stuff_says_where_no_centre_is():
    targets = {name: value[0] for name, value in targets_of(*one_car(), has_instances=False).items()}
    assert targets["heat"].max() == 0
    assert not targets["heat_known"][0, 5:13, 10:22].any()
    assert targets["heat_known"][0, 14].all()
    assert not targets["offset_known"].any()


# Three frames of 4 x 8 cells: two cars over each other and a person of one cell, a car, a car that fills the view.
CLASSES = (
    ("5555000.", "5555060.", "55555222", "22255222"),
    ("00000000", "00555555", "00555555", "00000000"),
    ("55555555", "55555555", "55555555", "55555555"),
)
# a..d: ids of things, far apart.
THINGS = (
    ("aaaa....", "aaaa.b..", "aaccc...", "...cc..."),
    ("........", "..dddddd", "..dddddd", "........"),
    ("dddddddd", "dddddddd", "dddddddd", "dddddddd"),
)
IDS = {".": 0, "a": 900, "b": 65535, "c": 31, "d": 4}


def grid(frames: tuple[tuple[str, ...], ...], value_of: dict[str, int]) -> torch.Tensor:
    """int64 [B, 16, 32] of cells that are written as letters."""
    cells = torch.tensor([[[value_of[letter] for letter in row] for row in frame] for frame in frames])
    return cells.repeat_interleave(4, 1).repeat_interleave(4, 2)


def test_targets_of_three_frames_are_those_written_out():
    semantic = grid(CLASSES, {"0": ROAD, "2": BUILDING, "5": CAR, "6": PERSON, ".": UNLABELLED})
    got = panoptic_batch_targets(semantic, grid(THINGS, IDS), torch.tensor([True, False, True]))
    assert got["semantic"].shape == (3, 8, 16)
    assert got["semantic"][0, 2].tolist() == [5] * 8 + [0] * 2 + [6] * 2 + [0] * 2 + [255] * 2
    # Car 900 has 10 cells: x = (0+1+2+3)*2 + (0+1) = 13 -> 1.3, y = 0*4 + 1*4 + 2*2 = 8 -> 0.8; car 31 has only 5.
    known = [[1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0], [0] * 8]
    assert got["offset_known"][0, 0].int().tolist() == known
    np.testing.assert_allclose(got["offset"][0, :, 1, 3], [-1.7, -0.2], atol=1e-5)
    assert got["offset"][0, :, 2, 3].tolist() == [0, 0]
    # Its Gaussian has sigma 1, since 0.08 * sqrt(10) is less.
    assert got["heat"][0, 0, 1, 1] == pytest.approx(np.exp(-(0.3**2 + 0.2**2) / 2), abs=1e-5)
    assert got["heat"][0, 0, 2, 4] == pytest.approx(np.exp(-(2.7**2 + 1.2**2) / 2), abs=1e-5)
    assert got["heat_known"][0, 0].int().tolist() == [[1] * 7 + [0], [1] * 7 + [0], [1] * 8, [1] * 8]
    # The second frame does not know its instances; the third is one car of 32 cells around (3.5, 1.5).
    assert got["heat_known"][1, 0].int().tolist() == [[1] * 8, [1, 1] + [0] * 6, [1, 1] + [0] * 6, [1] * 8]
    assert not got["offset_known"][1].any()
    assert got["heat"][1].max() == 0
    assert got["offset"][2, :, 0, 0].tolist() == [3.5, 1.5]
    assert got["heat"][2, 0, 1, 3] == pytest.approx(np.exp(-0.25), abs=1e-5)


def test_a_large_thing_has_a_wide_peak():
    semantic = torch.full((1, 4 * 40, 4 * 40), CAR)
    heat = targets_of(semantic, torch.ones_like(semantic))["heat"][0, 0]
    # 40 x 40 cells around (19.5, 19.5): sigma 0.08 * 40 = 3.2
    assert heat[19, 25] == pytest.approx(np.exp(-(5.5**2 + 0.5**2) / (2 * 3.2**2)), abs=1e-5)


def test_a_perfect_prediction_loses_almost_nothing_and_a_wrong_one_more():
    semantic, instance = one_car()
    batch = targets_of(semantic, instance)
    one_hot = torch.nn.functional.one_hot(semantic[:, 1::4, 1::4].clamp(max=8), 9).permute(0, 3, 1, 2).float() * 40
    heat = batch["heat"].clamp(1e-4, 1 - 1e-4)
    perfect = Panoptic(one_hot, torch.log(heat / (1 - heat)), batch["offset"])
    wrong = Panoptic(one_hot.flip(1), perfect.center.flip(3), -perfect.offset)
    good, bad = (panoptic_losses(prediction, batch, torch.ones(9)) for prediction in (perfect, wrong))
    assert good["center"] < 1e-4
    assert good["offset"] == 0
    assert all(bad[name] > good[name] + 0.01 for name in good)


def test_the_heat_of_two_things_is_the_larger_one():
    semantic = torch.full((1, 16, 64), CAR)
    instance = torch.ones_like(semantic)
    instance[:, :, 32:] = 2
    heat = targets_of(semantic, instance)["heat"][0, 0]
    # Centres at (3.5, 1.5) and (11.5, 1.5): each cell belongs to the nearer one, sigma 1.
    assert heat[1, 7] == pytest.approx(np.exp(-(3.5**2 + 0.25) / 2), abs=1e-6)
    assert heat[1, 8] == pytest.approx(heat[1, 7].item(), abs=1e-6)
