# SPDX-License-Identifier: Apache-2.0
"""Figures of a run on held-out data."""

from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from depth_models import LABELS
from depth_runtime.camera import StereoCamera
from depth_training.batches.dataset_source import collate_samples
from depth_training.data import Sample
from depth_training.engine.validation import class_figures, prediction_panel, validation_scores
from depth_training.objectives import make_objective

PANOPTIC = make_objective("panoptic", {"center": 0.0, "offset": 0.0}, 188.0, "loss.options")


class Halves(torch.nn.Module):
    """Says road on the left half of a view and vehicle on the right one, sure of itself; does no stereo."""

    def left_view_maps(self, left: torch.Tensor) -> dict[str, torch.Tensor]:
        batch, _, height, width = left.shape
        semantic = torch.full((batch, len(LABELS), height // 4, width // 4), -20.0)
        semantic[:, 0, :, : width // 8] = semantic[:, 5, :, width // 8 :] = 20.0
        zeros = torch.zeros(batch, 3, height // 4, width // 4)
        return {"semantic": semantic, "instance_center": zeros[:, :1], "instance_offset": zeros[:, 1:]}


def labelled(semantic: np.ndarray):
    """A batch of one frame that is shown to both eyes."""
    image = np.full((*semantic.shape, 3), 70, np.uint8)
    return collate_samples([Sample(left=image, right=image, semantic=semantic)], torch.device("cpu"))


def test_figures_of_a_hand_made_confusion():
    matrix = np.zeros((9, 10), np.int64)
    matrix[0, 0], matrix[0, 5], matrix[5, 5], matrix[5, 9] = 6, 2, 3, 1
    # road: 6 of 8; vehicle: 3 of 3 + 2 wrong + 1 missed
    assert class_figures(matrix) == {"miou": 62.5, "pixel_accuracy": 75.0, "iou_road": 75.0, "iou_vehicle": 50.0}


def test_frames_with_classes_alone_are_scored_for_them():
    right = np.zeros((32, 64), np.uint8)
    right[:, 32:] = 5
    wrong = right.copy()
    wrong[:16] = 2  # the upper half is a building, and so half of all is missed
    scores = validation_scores(Halves(), [labelled(right), labelled(wrong)], PANOPTIC, nullcontext())
    assert set(scores) == {"loss", "miou", "pixel_accuracy", "iou_road", "iou_building", "iou_vehicle"}
    assert scores["pixel_accuracy"] == 75.0
    assert scores["iou_building"] == 0.0
    assert scores["iou_road"] == scores["iou_vehicle"] == 75.0
    assert scores["miou"] == pytest.approx(50.0)
    # Cross entropy 0 on the first frame; 40 on half of the second, less where the doubled logits mix at the border.
    assert 9 < scores["loss"] <= 10 + 1


def test_the_picture_of_classes_has_the_image_the_truth_and_the_prediction():
    truth = np.full((32, 64), 5, np.uint8)
    truth[:8] = 255
    panel = prediction_panel(Halves(), labelled(truth), PANOPTIC, 4, nullcontext())
    road, vehicle = (list(LABELS[index].color) for index in (0, 5))
    assert panel.shape == (32, 3 * 64, 3)
    assert panel[20, 3].tolist() == [70, 70, 70]
    assert panel[20, 64 + 3].tolist() == vehicle
    assert panel[3, 64 + 3].tolist() == [0, 0, 0]
    assert panel[20, 128 + 3].tolist() == road
    assert panel[20, 128 + 60].tolist() == vehicle


class EightMetres(torch.nn.Module):
    """Says 8 m at a focal length of 100 px everywhere, and nothing of classes."""

    inputs = ("image",)
    config = SimpleNamespace(canonical_focal_px=100.0, nearest_m=0.5, farthest_m=200.0)

    def left_view_maps(self, left: torch.Tensor) -> dict[str, torch.Tensor]:
        return {}

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        batch, _, height, width = image.shape
        return {"depth": torch.full((batch, 1, height, width), 8.0)}


def pair_at(depth_m: float, focal_px: float):
    """A batch of one pair whose left half is at this depth, the right one farther than what is scored."""
    image = np.full((32, 64, 3), 70, np.uint8)
    camera = StereoCamera(focal_px, focal_px, 31.5, 31.5, 15.5, 0.5)
    depth = np.full((32, 64), depth_m, np.float32)
    depth[:, 32:] = 150.0
    return collate_samples([Sample(left=image, right=image, depth_m=depth, camera=camera)], torch.device("cpu"))


def test_depth_is_scored_in_metres_of_each_camera_and_never_scaled():
    mono = make_objective("mono_supervised", {}, 188.0, "loss.options")
    score = lambda *batches: validation_scores(EightMetres(), batches, mono, nullcontext())  # noqa: E731
    # 8 m at 100 px are 4 m at 50 px.
    assert score(pair_at(4.0, 50.0)) == {"abs_rel": 0.0, "rmse": 0.0, "delta1": 100.0}
    assert score(pair_at(5.0, 50.0)) == {"abs_rel": pytest.approx(20), "rmse": pytest.approx(1), "delta1": 0.0}
    both = score(pair_at(4.0, 50.0), pair_at(5.0, 50.0))
    assert both == {"abs_rel": pytest.approx(10), "rmse": pytest.approx(0.5), "delta1": 50.0}
    assert score(labelled(np.full((32, 64), 255, np.uint8))) == {}


def test_the_picture_of_depth_shows_truth_and_prediction_near_in_red():
    mono = make_objective("mono_supervised", {}, 188.0, "loss.options")
    panel = prediction_panel(EightMetres(), pair_at(4.0, 50.0), mono, 4, nullcontext())
    assert panel.shape == (32, 3 * 64, 3)
    truth, predicted = panel[10, 64 + 5], panel[10, 128 + 5]
    assert truth.tolist() == predicted.tolist()
    assert truth[0] > truth[2]
    far = panel[10, 64 + 50]
    assert far[2] > far[0]
