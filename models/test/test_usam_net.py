# SPDX-License-Identifier: Apache-2.0
"""USAM-Net: the stages of the paper, what each variant reads, and what the light branch costs."""

import depth_models
import pytest
import torch

HEIGHT, WIDTH = 64, 96
NARROW = 0.125


def build(**config):
    torch.manual_seed(0)
    return depth_models.build("usam_net", **{"width": NARROW} | config)


def images(count, batch=1):
    return torch.rand(count, batch, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1)) * 255


def test_five_stages_halve_and_five_double_with_attention_between():
    network = build(regions="given", width=1.0).to("meta").eval()
    shapes = []
    for stage in (*network.down, network.attention, *network.up):
        stage.register_forward_hook(lambda _module, _inputs, out: shapes.append(tuple(out.shape[1:])))
    prediction = network(*images(3).to("meta"))
    down = [(64, 32, 48), (128, 16, 24), (256, 8, 12), (512, 4, 6), (512, 2, 3)]
    up = [(512, 4, 6), (256, 8, 12), (128, 16, 24), (64, 32, 48), (32, 64, 96)]
    assert shapes == [*down, (512, 2, 3), *up]
    assert prediction["disparity"].shape == (1, 1, HEIGHT, WIDTH)
    assert [stage[0].stride for stage in network.down] == [(2, 2)] * 5
    assert [type(stage.up[0]) for stage in network.up] == [torch.nn.ConvTranspose2d] * 5


@pytest.mark.parametrize(("regions", "channels"), [("none", 6), ("given", 9), ("light", 9)])
def test_each_variant_reads_its_channels(regions, channels):
    network = build(regions=regions).eval()
    assert network.down[0][0].in_channels == channels
    assert network.inputs == (("left", "right", "regions") if regions == "given" else ("left", "right"))
    assert (network.light is not None) == (regions == "light")
    given = [*images(3)][: 3 if regions == "given" else 2]
    with torch.no_grad():
        before = network(*given)["disparity"]
        for place in range(len(given)):
            changed = [255 - image if index == place else image for index, image in enumerate(given)]
            assert (network(*changed)["disparity"] - before).abs().max() > 0.01, place


def test_regions_that_are_missing_or_too_many_are_refused():
    left, right, regions = images(3)
    with pytest.raises(ValueError, match=r"inputs \['left', 'right', 'regions'\] for regions 'given', got no regions"):
        build(regions="given")(left, right)
    with pytest.raises(ValueError, match=r"inputs \['left', 'right'\] for regions 'light', got also regions"):
        build()(left, right, regions)
    with pytest.raises(ValueError, match=r"expected regions among \['none', 'given', 'light'\], got 'slic'"):
        build(regions="slic")


def test_unknown_regions_count_as_black():
    network, (left, right, _) = build(regions="given").eval(), images(3)
    with torch.no_grad():
        predictions = [network(left, right, torch.full_like(left, value))["disparity"] for value in (float("nan"), 0.0)]
    assert torch.equal(*predictions)


def test_the_spec_names_the_regions_that_a_variant_takes():
    assert depth_models.network_spec(build(), "usam_net", "1").inputs == ("left", "right")
    spec = depth_models.network_spec(build(regions="given"), "usam_net", "1")
    assert (spec.inputs, spec.outputs) == (("left", "right", "regions"), {"disparity": 1})


@pytest.mark.parametrize("regions", ["none", "given", "light"])
def test_every_parameter_gets_a_finite_gradient(regions):
    network = build(regions=regions).train()
    prediction = network(*images(3 if regions == "given" else 2, batch=2))
    sum(value.square().mean() for value in prediction.values()).backward()
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert without == []


def test_disparities_stay_within_their_range():
    network = build(regions="none", max_disparity_px=40).eval()
    for bias, expected in ((-50.0, 0.0), (50.0, 40.0), (0.0, 20.0)):
        torch.nn.init.zeros_(network.head.weight)
        torch.nn.init.constant_(network.head.bias, bias)
        with torch.no_grad():
            disparity = network(*images(2))["disparity"]
        assert disparity.unique().tolist() == pytest.approx([expected], abs=1e-6)


def test_attention_mixes_all_cells_by_weights_that_add_up_to_one():
    attention = build().attention
    cells = torch.randn(2, 64, 2, 3, generator=torch.Generator().manual_seed(2))
    weights = attention.weights(cells)
    assert weights.shape == (2, 6, 6)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 6))
    query, key = (layer(cells).flatten(2)[1] for layer in (attention.query, attention.key))
    expected = torch.softmax(query.T @ key / 8**0.5, -1) @ attention.value(cells).flatten(2)[1].T
    expected = cells[1] + attention.project(expected.T.reshape(1, 64, 2, 3))[0]
    torch.testing.assert_close(attention(cells)[1], expected)
    assert isinstance(build(attention=False).attention, torch.nn.Identity)


def test_the_light_branch_paints_borders_black_and_regions_in_a_colour():
    network = build().eval()
    left, right = images(2)
    with torch.no_grad():
        prediction = network(left, right)
        assert prediction["regions"].shape == (1, 3, HEIGHT, WIDTH)
        assert prediction["border"].shape == (1, 1, HEIGHT, WIDTH)
        assert 0 <= prediction["regions"].min() <= prediction["regions"].max() <= 255
        network.light.head.bias[12:] = 60.0
        assert network(left, right)["regions"].abs().max() < 1e-6


def test_the_cost_of_nine_channels_is_counted():
    three, two = (depth_models.count_cost(build(regions=kind), 64, 96).gmacs for kind in ("given", "none"))
    assert three - two == pytest.approx(3 * 8 * 16 * 32 * 48 / 1e9)


def test_the_light_branch_costs_less_than_a_tenth_of_the_network():
    network = build(width=1.0)
    light = depth_models.count_cost(network.light, 384, 640, images=1).gmacs
    assert 0 < light < 0.1 * (depth_models.count_cost(network, 384, 640).gmacs - light)
