# SPDX-License-Identifier: Apache-2.0
"""DispNet: sizes of its scales, its cost by hand, what its layers see, and that it learns."""

import depth_models
import pytest
import torch
from torch.nn import functional

HEIGHT, WIDTH = 128, 192


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return depth_models.build("dispnet", width=0.125).eval()


@pytest.fixture(scope="module")
def prediction(network):
    torch.manual_seed(1)
    with torch.no_grad():
        return network(*(torch.rand(2, 2, 3, HEIGHT, WIDTH) * 255))


def test_every_scale_has_a_disparity_and_an_occlusion_and_the_prediction_is_of_input_size(prediction):
    scales = [(2, 1, HEIGHT // s, WIDTH // s) for s in (64, 32, 16, 8, 4, 2)]
    assert [tuple(d.shape) for d in prediction["disparity_scales"]] == scales
    assert [tuple(o.shape) for o in prediction["occlusion_scales"]] == scales
    assert prediction["disparity"].shape == (2, 1, HEIGHT, WIDTH)
    assert prediction["disparity"].min() >= 0
    assert torch.equal(prediction["confidence"], -prediction["occlusion_scales"][-1])
    for side in ("left_features", "right_features"):
        assert [tuple(f.shape[2:]) for f in prediction[side]] == [(64, 96), (32, 48), (32, 48)]


def test_the_prediction_is_the_finest_scale_in_input_pixels(prediction):
    finest = functional.interpolate(prediction["disparity_scales"][-1], scale_factor=2.0, mode="bilinear")
    assert torch.equal(prediction["disparity"], finest.clamp(min=0))


def test_the_width_of_the_paper_has_its_channels_and_width_scales_them():
    with torch.device("meta"):
        paper, narrow = depth_models.build("dispnet"), depth_models.build("dispnet", width=0.25)
    assert [layer[0].out_channels for layer in paper.shared] == [64, 128, 128]
    assert [layer[0][0].out_channels for layer in paper.down] == [256, 512, 512, 1024]
    assert [layer[0][0].out_channels for layer in narrow.down] == [64, 128, 128, 256]
    assert [stage.up.out_channels for stage in narrow.stages] == [128, 64, 32, 16, 8]


def test_first_layer_and_eight_more_levels_cost_what_one_counts_by_hand(network):
    first = network.shared[0]
    assert sum(p.numel() for p in first.parameters()) == 7 * 7 * 3 * 8 + 8
    with torch.device("meta"):
        networks = [depth_models.build("dispnet", levels=n) for n in (48, 40)]
    more, less = (depth_models.count_cost(network, 128, 192) for network in networks)
    assert more.parameters - less.parameters == 8 * 5 * 5 * 256
    convolution = 8 * 5 * 5 * 256 * (128 // 8) * (192 // 8)
    correlation = 8 * 128 * (128 // 4) * (192 // 4)  # each left column meets eight more right columns
    assert more.gmacs - less.gmacs == pytest.approx((convolution + correlation) / 1e9, rel=1e-6)
    assert more.parameters / 1e6 == pytest.approx(42.4, abs=0.1)


def test_both_views_pass_the_same_layers_and_the_right_one_ends_in_the_correlation(network):
    torch.manual_seed(2)
    a, b = torch.rand(2, 1, 3, 64, 128) * 255
    with torch.no_grad():
        one, other = network(a, b), network(b, a)
    for x, y in zip(one["left_features"], other["right_features"], strict=True):
        assert torch.allclose(x, y, atol=1e-5)


def test_every_parameter_learns():
    torch.manual_seed(0)
    network = depth_models.build("dispnet", width=0.125, batch_norm=True)
    prediction = network(*(torch.rand(2, 2, 3, 64, 128) * 255))
    sum(x.square().mean() for key in ("disparity_scales", "occlusion_scales") for x in prediction[key]).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    silent = [name for name, p in network.named_parameters() if p.grad.abs().max() == 0]
    assert not silent


def test_an_unknown_field_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'width'.*got \['size'\]"):
        depth_models.build("dispnet", size=2)


def test_it_learns_one_small_batch():
    """Two pairs whose upper and lower half are shifted differently, 4 and 12 px, in the other order."""
    torch.manual_seed(0)
    network = depth_models.build("dispnet", width=0.125, levels=8)
    wide = functional.interpolate(torch.rand(2, 3, 32, 80) * 255, scale_factor=2.0)
    truth = torch.full((2, 1, 64, 128), 4.0)
    truth[0, :, 32:], truth[1, :, :32] = 12.0, 12.0
    column = torch.arange(128) + truth.long()
    left = wide[..., :128]
    right = wide.gather(3, column.expand(2, 3, 64, 128))
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    errors = []
    for _ in range(60):
        prediction = network(left, right)
        loss = sum((functional.interpolate(d, (64, 128)) - truth).abs().mean() for d in prediction["disparity_scales"])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        errors.append((prediction["disparity"] - truth).abs().mean().item())
    assert errors[0] > 6
    assert errors[-1] < 1.2, errors[::10]
