# SPDX-License-Identifier: Apache-2.0
"""The objective of USAM-Net, term by term, and that it trains all variants."""

from math import log, nan

import depth_models
import numpy as np
import pytest
import torch
from depth_models import LABELS
from depth_training.batches.stereo_batch import StereoBatch
from depth_training.data import Sample
from depth_training.evaluation.evaluate import evaluate
from depth_training.evaluation.methods import PipelineMethod
from depth_training.evaluation.torch_backend import TorchBackend
from depth_training.objectives import make_objective

SKY = 7


def batch_of(disparity_px, regions=None, semantic=None):
    """A batch of black pairs around these maps, [B, 1, H, W] and [B, H, W]."""
    b, _, h, w = disparity_px.shape
    black = torch.zeros(b, 3, h, w)
    semantic = torch.full((b, h, w), 255) if semantic is None else semantic
    unknown, things = torch.full((b, 1, h, w), nan), torch.zeros(b, h, w, dtype=torch.int64)
    return StereoBatch(black, black, disparity_px, unknown, semantic, things, torch.zeros(b, dtype=bool), regions)


def losses_of(prediction, batch, max_disparity_px=100.0, **options):
    return make_objective("usam", options, max_disparity_px, "loss.options")(torch.nn.Identity(), prediction, batch)


def test_smooth_l1_is_the_paper_s_over_what_is_known():
    truth = torch.tensor([[[[10.0, 10.0, nan, 120.0]]]])
    losses = losses_of({"disparity": torch.tensor([[[[10.5, 13.0, 50.0, 50.0]]]])}, batch_of(truth), disparity=2.0)
    assert list(losses) == ["disparity"]
    assert losses["disparity"].item() == pytest.approx(2 * (0.5 * 0.25 + 2.5) / 2)


@pytest.mark.parametrize(
    ("sky", "expected"), [("keep", (1.5 + 4.5) / 2), ("mask", 1.5), ("zero", (1.5 + 5.5 + 3.5) / 3)]
)
def test_sky_keeps_its_truth_is_left_out_or_lies_at_infinity(sky, expected):
    truth = torch.tensor([[[[10.0, 1.0, nan]]]])
    semantic = torch.tensor([[[2, SKY, SKY]]])
    assert LABELS[SKY].name == "sky"
    prediction = {"disparity": torch.tensor([[[[12.0, 6.0, 4.0]]]])}
    losses = losses_of(prediction, batch_of(truth, semantic=semantic), sky=sky)
    assert losses["disparity"].item() == pytest.approx(expected)


def test_the_light_branch_learns_the_image_and_its_black_borders():
    regions = torch.tensor([51.0, 0.0, 0.0, nan])[None, None, None].repeat(1, 3, 1, 1)
    regions[0, 1, 0, 2] = 102.0  # black in two channels only: no border
    prediction = {
        "disparity": torch.zeros(1, 1, 1, 4),
        "regions": torch.full((1, 3, 1, 4), 51.0),
        "border": torch.tensor([[[[0.0, log(3.0), 0.0, 9.0]]]]),
    }
    losses = losses_of(prediction, batch_of(torch.zeros(1, 1, 1, 4), regions), image=2.0, border=3.0, border_pixels=4.0)
    assert losses["disparity"].item() == 0
    assert losses["image"].item() == pytest.approx(2 * (0 + 0.2 + 0.2) / 3)
    assert losses["border"].item() == pytest.approx(3 * (log(2) + 4 * log(4 / 3) + log(2)) / 6)


def test_unknown_regions_teach_the_light_branch_nothing():
    prediction = {
        "disparity": torch.ones(1, 1, 1, 2),
        "regions": torch.ones(1, 3, 1, 2),
        "border": torch.ones(1, 1, 1, 2),
    }
    losses = losses_of(prediction, batch_of(torch.ones(1, 1, 1, 2)))
    assert [losses[name].item() for name in ("image", "border")] == [0, 0]


def test_an_unknown_sky_is_refused():
    with pytest.raises(ValueError, match=r"expected sky among \['keep', 'mask', 'zero'\], got 'blue'"):
        losses_of({}, None, sky="blue")


@pytest.mark.parametrize("regions", ["none", "given", "light"])
def test_a_variant_overfits_one_batch(regions):
    torch.manual_seed(0)
    network = depth_models.build("usam_net", regions=regions, width=0.125, max_disparity_px=32).train()
    truth = torch.full((2, 1, 32, 64), 4.0)
    truth[:, :, 16:, 20:] = 12.0
    batch = batch_of(truth, torch.where(truth > 4, 200.0, 60.0).repeat(1, 3, 1, 1))
    batch.left, batch.right = torch.rand(2, 2, 3, 32, 64) * 255
    objective = make_objective("usam", {}, 32.0, "loss.options")
    optimiser = torch.optim.Adam(network.parameters(), 5e-3)
    history = []
    for _ in range(60):
        losses = objective(network, batch.predict_with(network), batch)
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
        history.append({name: value.item() for name, value in losses.items()})
    assert history[-1]["disparity"] < 0.5
    if regions == "light":
        assert history[-1]["image"] < 0.3 * history[0]["image"]


class OnePair:
    """A data set of one sample."""

    def __init__(self, sample):
        self._sample = sample

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self._sample


def test_evaluate_shows_the_regions_to_the_network_that_takes_them():
    torch.manual_seed(0)
    network = depth_models.build("usam_net", regions="given", width=0.125, max_disparity_px=8)
    method = PipelineMethod(TorchBackend(network, "usam_net", torch.device("cpu")), "source")
    left, right, regions = np.random.default_rng(0).integers(0, 256, (3, 40, 70, 3), dtype=np.uint8)
    sample = Sample(left, right, np.full((40, 70), 3, np.float32), regions=regions, name="pair")
    row = evaluate({"set": OnePair(sample)}, {"ours": method}).rows[0]
    images = {"left": left, "right": right, "regions": regions}
    prediction = method(images).disparity_px
    assert prediction.shape == (40, 70)
    assert row["epe"] == pytest.approx(np.abs(prediction - 3).mean(), rel=1e-5)
    assert np.abs(prediction - method(images | {"regions": 255 - regions}).disparity_px).max() > 1e-3
    bare = Sample(left, right, np.full((40, 70), 3, np.float32), name="pair")
    with pytest.raises(
        ValueError, match=r"\['left', 'right', 'regions'\] of 'pair', got no regions; write regions with `sam-masks`"
    ):
        evaluate({"set": OnePair(bare)}, {"ours": method})
