# SPDX-License-Identifier: Apache-2.0
"""The network of one camera: its cost, the meaning of its depth, and what it takes from stereo_s."""

import math

import depth_models
import pytest
import torch
from depth_models.stereo.disparity import convex_double, start_bilinear

HEIGHT, WIDTH = 64, 96
TINY = {"levels": 16, "aggregate_widths": (16, 16, 16), "aggregate_depth": 1, "refine_width": 16}


@pytest.fixture
def network():
    torch.manual_seed(0)
    return depth_models.build("mono_s")


def test_it_costs_at_most_five_gmacs_at_its_size(network):
    assert 3 < depth_models.count_cost(network, 192, 640).gmacs <= 5


def test_every_parameter_gets_a_finite_gradient(network):
    prediction = network.train()(torch.rand(2, 3, HEIGHT, WIDTH) * 255)
    sum(value.float().square().mean() for value in prediction.values()).backward()
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert without == []


@pytest.mark.parametrize(("logit", "depth_m"), [(-1e4, 0.5), (0.0, 10.0), (1e4, 200.0)])
def test_depth_lies_in_its_range_and_zero_is_the_middle_of_its_logarithm(network, logit, depth_m):
    torch.nn.init.zeros_(network.depth.head.weight)
    torch.nn.init.constant_(network.depth.head.bias, logit)
    with torch.no_grad():
        depth = network.eval()(torch.rand(1, 3, HEIGHT, WIDTH) * 255)["depth"]
    assert (depth.min().item(), depth.max().item()) == (pytest.approx(depth_m), pytest.approx(depth_m))


def test_a_fresh_network_interpolates_the_logarithm_of_depth():
    mask = torch.nn.Conv2d(4, 36, 1)
    start_bilinear(mask)
    values = torch.rand(1, 1, 6, 8)
    fine = convex_double(values, mask(torch.rand(1, 4, 6, 8)))
    wanted = torch.nn.functional.interpolate(values, scale_factor=2.0, mode="bilinear")
    torch.testing.assert_close(fine[..., 2:-2, 2:-2], wanted[..., 2:-2, 2:-2], atol=4 * math.exp(-8), rtol=0)


def test_features_and_panoptic_head_of_stereo_s_are_copied_bit_for_bit(network):
    torch.manual_seed(1)
    stereo = depth_models.build("stereo_s", **TINY).eval()
    decoder = {name: value.clone() for name, value in network.depth.state_dict().items()}
    network.eval().start_from(stereo)
    theirs = stereo.state_dict()
    taken = {name: value for name, value in network.state_dict().items() if not name.startswith("depth.")}
    assert all(torch.equal(value, theirs[name]) for name, value in taken.items())
    assert {name.split(".")[0] for name in taken} == {"features", "panoptic"}
    assert all(torch.equal(value, network.depth.state_dict()[name]) for name, value in decoder.items())
    image = torch.rand(1, 3, HEIGHT, WIDTH) * 255
    with torch.no_grad():
        maps, wanted = network(image), stereo.left_view_maps(image)
    assert all(torch.equal(maps[name], value) for name, value in wanted.items())


def test_it_starts_from_nothing_else(network):
    with pytest.raises(ValueError, match="a StereoPanoptic network to start from, got HNet"):
        network.start_from(depth_models.build("hnet"))
    with pytest.raises(ValueError, match="the same classes"):
        network.start_from(depth_models.build("stereo_s", classes=4, **TINY))


@pytest.mark.parametrize("wrong", [{"canonical_focal_px": 0.0}, {"nearest_m": 0.0}, {"farthest_m": 0.4}])
def test_a_depth_without_meaning_is_refused(wrong):
    with pytest.raises(ValueError, match=r"0 < nearest_m < farthest_m.*correct network\.config"):
        depth_models.build("mono_s", **wrong)
