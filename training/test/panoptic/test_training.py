# SPDX-License-Identifier: Apache-2.0
"""Targets, losses and the loop of the panoptic head."""

import depth_models
import numpy as np
import pytest
import torch
from depth_models.panoptic.head import Panoptic
from depth_training.commands.train_segmentation import report
from depth_training.engine.segmentation import SegmentationConfig, SegmentationTraining
from depth_training.panoptic.frames import LabelledFrame
from depth_training.panoptic.losses import class_weights, panoptic_losses
from depth_training.panoptic.targets import panoptic_targets

HEIGHT, WIDTH = 64, 96


def frame_with_one_car(with_instances: bool = True) -> LabelledFrame:
    """A car of 8 x 12 cells (rows 5..12, columns 10..21) on a road below an unlabelled band."""
    semantic = np.zeros((HEIGHT, WIDTH), np.uint8)
    semantic[:8] = 255
    semantic[20:52, 40:88] = 5
    instance = np.where(semantic == 5, 3, 0).astype(np.uint16) if with_instances else None
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return LabelledFrame(image, semantic, instance)


def test_heat_peaks_at_the_centre_and_offsets_point_there():
    targets = panoptic_targets(frame_with_one_car())
    y, x = np.unravel_index(targets.heat[0].argmax(), targets.heat[0].shape)
    assert y in (8, 9)  # rows 5..12 have their middle at 8.5
    assert x in (15, 16)
    assert targets.offset[:, 5, 10].tolist() == [5.5, 3.5]
    assert targets.offset[:, 12, 21].tolist() == [-5.5, -3.5]
    assert targets.offset_known.sum() == 8 * 12
    assert not targets.heat_known[0, :2].any()


def test_without_instances_only_stuff_says_where_no_centre_is():
    targets = panoptic_targets(frame_with_one_car(with_instances=False))
    assert targets.heat.max() == 0
    assert not targets.heat_known[0, 5:13, 10:22].any()
    assert targets.heat_known[0, 14].all()
    assert not targets.offset_known.any()


def test_a_perfect_answer_loses_almost_nothing_and_a_wrong_one_more():
    targets = panoptic_targets(frame_with_one_car())
    batch = {k: torch.from_numpy(getattr(targets, k))[None] for k in targets._fields}
    quarter = torch.from_numpy(frame_with_one_car().semantic[1::4, 1::4].astype(np.int64))
    one_hot = torch.nn.functional.one_hot(quarter.clamp(max=8), 9).permute(2, 0, 1)[None].float() * 40
    heat = batch["heat"].clamp(1e-4, 1 - 1e-4)
    perfect = Panoptic(one_hot, torch.log(heat / (1 - heat)), batch["offset"])
    wrong = Panoptic(one_hot.flip(1), perfect.center.flip(3), -perfect.offset)
    good, bad = (panoptic_losses(answer, batch, torch.ones(9)) for answer in (perfect, wrong))
    assert good["center"] < 1e-4
    assert good["offset"] == 0
    assert all(bad[name] > good[name] + 0.01 for name in good)


def test_rare_classes_weigh_more_within_limits():
    weights = class_weights(np.array([10_000, 100, 0, 1]))
    assert weights.tolist() == pytest.approx([0.4, 1.0, 1.0, 4.0])


def test_training_changes_the_head_only_and_resumes_where_it_stopped(tmp_path):
    network = depth_models.build("stereo_s")
    before = {k: v.clone() for k, v in network.state_dict().items()}
    config = SegmentationConfig(
        minutes=0.02, height=HEIGHT, width=WIDTH, batch_real=1, batch_synthetic=1, capacity=4, seed=3
    )
    frames = ([frame_with_one_car(False)], [frame_with_one_car()])
    training = SegmentationTraining(network, *frames, config)
    training.run(tmp_path / "last.pt")
    changed = {k for k, v in network.state_dict().items() if not torch.equal(v, before[k])}
    assert training.step > 0
    assert changed
    assert all(k.startswith("panoptic.") for k in changed)
    again = SegmentationTraining(depth_models.build("stereo_s"), *frames, config)
    again.resume(tmp_path / "last.pt")
    assert (again.step, again.used_s) == (training.step, training.used_s)
    torch.testing.assert_close(again.head.state_dict(), training.head.state_dict())


def test_report_on_a_hand_made_confusion():
    matrix = np.zeros((9, 10), np.int64)
    matrix[0, 0], matrix[0, 5], matrix[5, 5], matrix[5, 9] = 6, 2, 3, 1
    figures = report(matrix)
    # road: 6 of 8; vehicle: 3 of 3 + 2 wrong + 1 missed
    assert figures["iou"] == {"road": 75.0, "vehicle": 50.0}
    assert figures["miou"] == 62.5
    assert figures["pixel_accuracy"] == 75.0
