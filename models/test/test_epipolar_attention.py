# SPDX-License-Identifier: Apache-2.0
"""Mutual attention keeps H-Net's equations: who may match, and with how much mass."""

import pytest
import torch
from depth_models.stereo.epipolar_attention import (
    KINDS,
    MutualAttention,
    pixel_masses,
    sinkhorn,
    swap_views,
)

CHANNELS, HEIGHT, WIDTH = 24, 5, 13


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(3)


def features(pairs=1, height=HEIGHT, width=WIDTH):
    return torch.randn(2 * pairs, CHANNELS, height, width)


@pytest.mark.parametrize(("columns", "iterations"), [(13, 60), (40, 10), (160, 10)])
def test_the_transport_plan_has_the_masses_as_row_and_column_sums(columns, iterations):
    vectors = torch.nn.functional.normalize(torch.randn(2, 4, columns, 16), dim=-1)
    rows, target = (pixel_masses(torch.randn(4, columns, 1) + 0.3) for _ in range(2))
    plan = sinkhorn((1 - vectors[0] @ vectors[1].mT).exp(), rows.log(), target.log().mT, iterations)
    assert (plan >= 0).all()
    torch.testing.assert_close(plan.sum(-1, keepdim=True), rows, atol=1e-3, rtol=0)
    torch.testing.assert_close(plan.sum(-2, keepdim=True), target.mT, atol=1e-6, rtol=0)
    assert rows.amax() > 1.5 / columns  # far from equal, so that equal sums would fail


def test_transport_goes_where_it_costs_least():
    cost = torch.tensor([[1.0, 7.0, 7.0], [7.0, 7.0, 1.0], [7.0, 1.0, 7.0]])
    masses = torch.tensor([[0.5], [0.2], [0.3]])
    plan = sinkhorn(cost, masses.log(), torch.tensor([[0.5, 0.3, 0.2]]).log(), 10)
    wanted = torch.tensor([[0.5, 0.0, 0.0], [0.0, 0.0, 0.2], [0.0, 0.3, 0.0]])
    torch.testing.assert_close(plan, wanted, atol=1e-4, rtol=0)


def test_masses_of_a_line_sum_to_one_even_without_any_activation():
    activations = torch.tensor([[-1.0, 3.0, 1.0, 0.0], [-1.0, -2.0, -0.5, 0.0]])[..., None]
    masses = pixel_masses(activations)[..., 0]
    torch.testing.assert_close(masses.sum(-1), torch.ones(2))
    torch.testing.assert_close(masses[0], torch.tensor([0.0, 0.75, 0.25, 0.0]), atol=1e-6, rtol=0)
    assert (masses > 0).all()
    assert masses[1].tolist() == [0.25] * 4


@pytest.mark.parametrize("kind", ["ot_mnl", "ot_mea"])
def test_transport_gives_nothing_to_and_from_pixels_without_mass(kind):
    attention = MutualAttention(CHANNELS, kind)
    with torch.no_grad():  # mass is the first channel
        attention.mass.weight.zero_()
        attention.mass.weight[0, 0] = 1.0
        attention.mass.bias.zero_()
        views = features()
        views[:, 0] = views[:, 0].abs() + 0.1
        views[0, 0, 2, 7] = -1.0
        weights = attention.matching(views)
    place = (2, 7) if kind == "ot_mea" else (0, 2 * WIDTH + 7)
    assert weights[0, place[0], place[1]].sum() < 1e-3  # what the left pixel receives
    assert weights[1, place[0], :, place[1]].sum() < 1e-3  # what the right pixels receive from it
    assert weights[0, place[0], place[1] - 1].sum() > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_a_pixel_have_the_documented_sum(kind):
    attention = MutualAttention(CHANNELS, kind, iterations=60)
    with torch.no_grad():
        views = features()
        sums = attention.matching(views).sum(-1)
    pixels = WIDTH if kind.endswith("mea") else HEIGHT * WIDTH
    assert sums.shape == (2, HEIGHT * WIDTH // pixels, pixels)
    wanted = torch.ones_like(sums)
    if kind.startswith("ot"):
        with torch.no_grad():
            wanted = pixels * pixel_masses(attention.mass(views).permute(0, 2, 3, 1).reshape(*sums.shape, 1))[..., 0]
    torch.testing.assert_close(sums, wanted, atol=1e-3 * pixels if kind.startswith("ot") else 1e-5, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_only_all_pixel_attention_looks_at_other_rows(kind):
    attention = MutualAttention(CHANNELS, kind).eval()
    views = features()
    shuffled = views.clone()
    shuffled[:, :, [0, 1, 3, 4]] = views[:, :, [4, 0, 1, 3]] * 1.7
    with torch.no_grad():
        change = (attention(shuffled) - attention(views))[:, :, 2].abs().max()
    assert (change == 0) if kind.endswith("mea") else (change > 1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_each_view_retrieves_from_the_other_view_of_its_own_pair(kind):
    attention = MutualAttention(CHANNELS, kind).eval()
    views = features(pairs=3)
    left, right = views.chunk(2)
    with torch.no_grad():
        whole = attention(views)
        alone = attention(torch.stack((left[1], right[1])))
        views[4] += 1.0  # the right view of the second pair
        change = (attention(views) - whole).abs().amax((1, 2, 3))
    torch.testing.assert_close(whole[[1, 4]], alone)
    assert [bool(c > 1e-3) for c in change] == [False, True, False, False, True, False]
    assert torch.equal(swap_views(swap_views(views)), views)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_finite_also_for_extreme_features(kind):
    attention = MutualAttention(CHANNELS, kind)
    views = features()
    views[0, :, 1] = 0.0
    views[1, :, 3] *= 1e3
    views.requires_grad_()
    attention(views).square().mean().backward()
    gradients = [views.grad, *(p.grad for p in attention.parameters())]
    assert all(g is not None and g.isfinite().all() for g in gradients)
    assert all(p.grad.abs().sum() > 0 for name, p in attention.named_parameters() if name != "target.bias")


@pytest.mark.parametrize("kind", ["eg_mea", "ot_mea"])
def test_matching_stays_in_full_precision_inside_autocast(kind):
    attention = MutualAttention(CHANNELS, kind)
    views = features()
    with torch.no_grad():
        plain = attention.matching(views)
        with torch.autocast("cpu", torch.bfloat16):
            inside = attention.matching(views)
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, plain, rtol=0, atol=0)


def test_an_unknown_kind_is_refused_with_those_that_exist():
    with pytest.raises(ValueError, match=r"eg_mnl.*ot_mea.* got 'mea'"):
        MutualAttention(8, "mea")
