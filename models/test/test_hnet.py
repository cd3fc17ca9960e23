# SPDX-License-Identifier: Apache-2.0
"""H-Net's shapes, depth range, symmetry of the views and confidence."""

import depth_models
import pytest
import torch
from depth_models.stereo.consistency import consistency_logits
from depth_models.stereo.sigmoid_decoder import disparity_of_sigmoid

HEIGHT, WIDTH = 64, 96
SMALL = {"width": 0.25}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def pair(batch=2):
    return torch.rand(2, batch, 3, HEIGHT, WIDTH) * 255


@pytest.mark.parametrize(
    "config", [{"attention": "ot_mea"}, {"attention": "eg_mnl"}, {"attention": "none", "siamese": False}]
)
def test_outputs_have_the_documented_shapes_and_every_parameter_learns(config):
    network = depth_models.build("hnet", **SMALL, **config).train()
    prediction = network(*pair())
    shapes = {name: tuple(value.shape) for name, value in prediction.items()}
    scales = {f"{v}_{s}": (2, 1, HEIGHT // s, WIDTH // s) for v in ("left", "right") for s in (8, 4, 2, 1)}
    assert shapes == {"disparity": (2, 1, HEIGHT, WIDTH), "confidence": (2, 1, HEIGHT // 2, WIDTH // 2)} | scales
    sum(prediction[name].square().mean() for name in scales).backward()
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert without == []


def test_disparity_is_that_of_a_depth_between_a_tenth_and_a_hundred_units():
    px = disparity_of_sigmoid(torch.tensor([0.0, 0.5, 1.0]), 200.0)
    focal_times_baseline = 20.0  # px * units: 200 px at 0.1 units
    torch.testing.assert_close(focal_times_baseline / px, torch.tensor([100.0, 1 / (0.5 * 9.99 + 0.01), 0.1]))


@pytest.mark.parametrize("attention", ["none", "ot_mea"])
def test_exchanged_views_exchange_the_features_until_the_fusion(attention):
    network = depth_models.build("hnet", **SMALL, attention=attention).eval()
    seen = []
    network.fusions[4].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    left, right = pair(1)
    with torch.no_grad():
        network(left, right)
        network(right, left)
    torch.testing.assert_close(seen[0], seen[1].flip(0))


def test_pairs_of_a_batch_do_not_see_each_other():
    network = depth_models.build("hnet", **SMALL).eval()
    left, right = pair(3)
    with torch.no_grad():
        whole = network(left, right)
        alone = network(left[1:2], right[1:2])
    for name, value in alone.items():
        torch.testing.assert_close(whole[name][1:2], value, atol=1e-3, rtol=1e-4)


def test_full_size_has_the_cost_of_the_papers_order():
    with torch.device("meta"):
        networks = [depth_models.build("hnet", attention=attention) for attention in ("none", "ot_mea")]
    plain, attentive = (depth_models.count_cost(network, 192, 640) for network in networks)
    assert 26e6 < plain.parameters < 31e6  # the paper says 30.7 million and does not give its decoder
    assert 1.01 < attentive.parameters / plain.parameters < 1.05
    assert attentive.gmacs / plain.gmacs < 1.05


def test_confidence_is_high_where_both_views_agree_and_low_where_not():
    height, width = 4, 24
    left, right = torch.full((1, 1, height, width), 6.0), torch.full((1, 1, height, width), 6.0)
    right[..., 10:] = 8.6  # twice the tolerance of 1.3 px away
    logits = consistency_logits(left, right)[0, 0]
    assert logits.shape == (2, 12)
    columns = torch.arange(0, width, 2)
    assert logits[0, columns < 6].tolist() == [-4.0] * 3  # not in the right view
    torch.testing.assert_close(logits[1, (columns >= 6) & (columns < 16)], torch.full((5,), 4.0))
    torch.testing.assert_close(logits[1, columns >= 16], torch.full((4,), -4.0))


def test_confidence_samples_the_right_map_between_its_columns():
    left = torch.full((1, 1, 2, 16), 2.25)
    right = torch.arange(16.0).expand(1, 1, 2, 16) / 4
    logits = consistency_logits(left, right)[0, 0, 0]
    error = (2.25 - (torch.arange(4, 16, 2) - 2.25) / 4).abs()
    torch.testing.assert_close(logits[2:], 4 * (1 - error / (1 + 0.05 * 2.25)))


def test_wrong_configs_are_refused():
    with pytest.raises(ValueError, match=r"'none', 'eg_mnl'.*got 'mnl'"):
        depth_models.build("hnet", attention="mnl")
    with pytest.raises(ValueError, match="'none' without Siamese views, got 'ot_mea'"):
        depth_models.build("hnet", siamese=False)
    with pytest.raises(ValueError, match=r"config fields among .*iterations.*got \['depth'\]"):
        depth_models.build("hnet", depth=3)
