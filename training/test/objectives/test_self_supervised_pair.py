# SPDX-License-Identifier: Apache-2.0
"""Equations 6 to 8 of H-Net: least at the true disparity, for both views, without truth."""

from types import SimpleNamespace

import pytest
import torch
from depth_training.objectives import make_objective
from depth_training.reconstruction import edge_aware_smoothness, photometric_error, warp_right_to_left

DISPARITY, HEIGHT, WIDTH = 6, 32, 80


def shifted_pair():
    """Random texture that the right camera sees DISPARITY columns further left."""
    torch.manual_seed(0)
    scene = torch.nn.functional.avg_pool2d(torch.rand(2, 3, HEIGHT, WIDTH + DISPARITY + 2) * 255, 3, 1, (1, 0))
    batch = SimpleNamespace(left=scene[..., :WIDTH], right=scene[..., DISPARITY:])
    batch.disparity_px = torch.full((2, 1, HEIGHT, WIDTH), torch.nan)
    return batch


def prediction(left_px, right_px):
    """Constant maps at all scales."""
    sizes = {s: (2, 1, HEIGHT // s, WIDTH // s) for s in (8, 4, 2, 1)}
    values = {"left": left_px, "right": right_px}
    return {f"{view}_{s}": torch.full(size, float(px)) for view, px in values.items() for s, size in sizes.items()}


def losses(prediction_, **options):
    rule = make_objective("self_supervised_pair", options, 64.0, "loss.options")
    return rule(torch.nn.Identity(), prediction_, shifted_pair())


def test_each_views_true_disparity_is_the_minimum():
    pairs = [(a, b) for a in (4, 6, 8) for b in (4, 6, 8)]
    error = {pair: losses(prediction(*pair))["photometric"].item() for pair in pairs}
    assert min(error, key=error.get) == (DISPARITY, DISPARITY)
    assert error[6, 6] < 0.6 * min(error[6, 4], error[8, 6])
    assert error[6, 6] < 0.03  # what is left is the border that the other view does not show


def test_gradients_pull_every_scale_of_both_views_to_the_truth():
    near = {name: value.requires_grad_() for name, value in prediction(5.5, 6.5).items()}
    sum(losses(near).values()).backward()
    for name, value in near.items():
        inner = value.grad[..., 2:-2]
        assert inner.isfinite().all()
        assert (inner.sum() < 0) if name.startswith("left") else (inner.sum() > 0), name


def test_the_total_is_the_mean_of_equation_8():
    torch.manual_seed(1)
    random = {name: 5 + 2 * torch.rand_like(value) for name, value in prediction(0, 0).items()}
    found = losses(random, gamma=0.7, smoothness=0.02)
    batch = shifted_pair()
    flipped = SimpleNamespace(left=batch.right.flip(-1), right=batch.left.flip(-1))
    terms = []
    for stride in (8, 4, 2, 1):
        maps = (random[f"left_{stride}"], random[f"right_{stride}"].flip(-1))
        for views, px in zip((batch, flipped), maps, strict=True):
            full = torch.nn.functional.interpolate(px, (HEIGHT, WIDTH), mode="bilinear")
            rebuilt = warp_right_to_left(views.right, full).view
            error = photometric_error(views.left, rebuilt, 0.7).mean()
            terms.append((error, edge_aware_smoothness(full, views.left).mean()))
    photometric, smoothness = (torch.stack(column).mean() for column in zip(*terms, strict=True))
    torch.testing.assert_close(found["photometric"], photometric, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found["smoothness"], 0.02 * smoothness, atol=1e-5, rtol=0.02)


def test_an_unknown_sampling_is_refused():
    with pytest.raises(ValueError, match=r"sampling among .*'bilinear'.* got 'spline'"):
        losses(prediction(1, 1), sampling="spline")
