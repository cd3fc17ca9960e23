# SPDX-License-Identifier: Apache-2.0
"""The smallest network: what it adds to its core, and what it costs."""

import depth_models
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from depth_models.stereo.disparity import convex_upsample
from depth_models.stereo.stereo_xs import start_from_bilinear
from torch import nn

HEIGHT, WIDTH = 64, 128


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return depth_models.build("stereo_xs").eval()


def pair(height: int = HEIGHT, width: int = WIDTH) -> torch.Tensor:
    return torch.rand(2, 1, 3, height, width, generator=torch.Generator().manual_seed(3)) * 255


def test_outputs_have_the_documented_shapes_and_strides(network):
    with torch.no_grad():
        prediction = network(*pair())
    assert prediction["disparity"].shape == (1, 1, HEIGHT, WIDTH)
    assert prediction["confidence"].shape == prediction["occlusion"].shape == (1, 1, HEIGHT // 2, WIDTH // 2)
    assert prediction["level_logits"].shape == (1, 24, HEIGHT // 8, WIDTH // 8)
    for name in ("instance_center", "instance_offset"):
        assert prediction[name].shape[2] * network.outputs[name] == HEIGHT


def test_an_untrained_refinement_is_the_bilinear_upsampling_of_the_core(network):
    views = pair()
    with torch.no_grad():
        prediction, core = network(*views), network.core(*(F.avg_pool2d(view, 2) for view in views))
    smooth = 2 * F.interpolate(core["disparity"], scale_factor=2.0, mode="bilinear", align_corners=False)
    torch.testing.assert_close(prediction["disparity"], smooth, atol=0.05, rtol=0.01)
    torch.testing.assert_close(prediction["disparity2"], core["disparity"])


def test_bilinear_start_doubles_a_ramp_exactly_inside_the_image():
    head, mask = nn.Conv2d(4, 3, 3), nn.Conv2d(4, 36, 1)
    start_from_bilinear(head, mask)
    ramp = torch.arange(7.0).expand(1, 1, 5, 7) + 10 * torch.arange(5.0)[:, None]
    logits = mask(torch.randn(1, 4, 5, 7))
    fine = convex_upsample(ramp, logits)[0, 0]
    x, y = (torch.arange(14) - 0.5) / 2, (torch.arange(10) - 0.5) / 2
    expected = 2 * (x[None] + 10 * y[:, None])
    torch.testing.assert_close(fine[2:-2, 2:-2], expected[2:-2, 2:-2], atol=0.05, rtol=0)


def test_fine_detail_of_the_full_size_views_reaches_the_disparity():
    network = depth_models.build("stereo_xs").eval()
    with torch.no_grad():
        network.fine.head.weight.normal_(std=0.1)
    left, right = pair()
    checks = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(HEIGHT // 2, WIDTH // 2) * 20  # vanishes at half size
    with torch.no_grad():
        plain, other = network(left, right)["disparity"], network(left + checks, right)["disparity"]
    assert (plain - other).abs().max() > 0.01


def test_every_parameter_gets_a_finite_gradient():
    network = depth_models.build("stereo_xs").train()
    with torch.no_grad():
        network.fine.head.weight.normal_(std=0.1)  # a layer of zeros passes nothing on
        network.fine.mask.weight.normal_(std=0.1)
    views = torch.rand(2, 2, 3, HEIGHT, WIDTH) * 255
    prediction = network(*views)
    sum(value.float().square().mean() for value in prediction.values()).backward()
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    # The core's own last upsampling and finest heads feed the refinement, so nothing is left over.
    assert without == []


def test_it_costs_less_than_three_and_a_half_gmacs_and_sees_as_far_as_size_s(network):
    assert 3.2 < depth_models.count_cost(network, 384, 640).gmacs < 3.5
    assert network.config.max_disparity_px == depth_models.build("stereo_s").config.max_disparity_px == 192
