# SPDX-License-Identifier: Apache-2.0
"""Facts about warping, and about the errors between a view and its reconstruction."""

import pytest
import torch
from depth_training.data import make_dataset
from depth_training.reconstruction import (
    DISTANCES,
    SAMPLINGS,
    edge_aware_smoothness,
    feature_distance,
    feature_reconstruction,
    occluded_by_disparity,
    photometric_error,
    warp_left_to_right,
    warp_right_to_left,
)
from torch.nn import functional

WIDTH = 11


def ramp() -> torch.Tensor:
    """Columns 0, 10, 20, ... in two rows of one channel."""
    return (torch.arange(WIDTH) * 10.0).expand(1, 1, 2, WIDTH).contiguous()


@pytest.fixture(scope="module")
def world():
    """Three rendered pairs without camera effects, and where the right camera sees the left view's surface."""
    pairs = make_dataset(
        "procedural", "computed", height=96, width=160, augmented=False, textures=16, mix={"indoor": 1.0}
    )
    samples = [pairs[index] for index in range(3)]
    image = lambda name: torch.stack([torch.from_numpy(getattr(s, name)).permute(2, 0, 1).float() for s in samples])  # noqa: E731
    plane = lambda name: torch.stack([torch.from_numpy(getattr(s, name))[None] for s in samples])  # noqa: E731
    return image("left"), image("right"), plane("disparity_px"), ~plane("occluded")


@pytest.mark.parametrize("sampling", sorted(SAMPLINGS))
def test_the_right_view_is_read_left_of_a_pixel_and_the_left_view_right_of_it(sampling):
    disparity = torch.full((1, 1, 2, WIDTH), 3.0)
    left, seen_right = warp_right_to_left(ramp(), disparity, sampling)
    right, seen_left = warp_left_to_right(ramp(), disparity, sampling)
    if sampling == "hann":  # blurs, so only where its window stays on the ramp
        assert torch.allclose(left[0, 0, 0, 5:10], torch.tensor([20.0, 30, 40, 50, 60]), atol=1e-4)
    else:
        assert left[0, 0, 0].tolist() == pytest.approx([0, 0, 0, 0, 10, 20, 30, 40, 50, 60, 70])
        assert right[0, 0, 0].tolist() == pytest.approx([30, 40, 50, 60, 70, 80, 90, 100, 100, 100, 100])
    assert seen_right[0, 0, 0].tolist() == [False] * 3 + [True] * 8
    assert seen_left[0, 0, 0].tolist() == [True] * 8 + [False] * 3


def test_between_two_columns_each_sampling_does_what_it_says():
    disparity = torch.full((1, 1, 2, WIDTH), 1.25)
    step = torch.where(torch.arange(WIDTH) >= 5, 80.0, 0.0).expand(1, 1, 2, WIDTH)  # column 6 reads 4.75
    values = {name: warp_right_to_left(step, disparity, name).view[0, 0, 0, 6].item() for name in SAMPLINGS}
    assert values["bilinear"] == pytest.approx(60.0)
    assert values["nearest"] == pytest.approx(80.0)
    # Catmull-Rom at t = 0.75: taps -0.0234375, 0.2265625, 0.8671875, -0.0703125, of which the last two are on the step.
    assert values["cubic"] == pytest.approx(80 * (0.8671875 - 0.0703125))
    assert 40 < values["hann"] < 60


@pytest.mark.parametrize("sampling", sorted(SAMPLINGS))
def test_the_gradient_of_every_sampling_points_up_the_ramp(sampling):
    disparity = torch.full((1, 1, 2, WIDTH), 2.3, requires_grad=True)
    warp_right_to_left(ramp(), disparity, sampling).view.sum().backward()
    inside = disparity.grad[0, 0, :, 5:-1]
    # One column more of disparity reads 10 less; the cosine window is not exact on a ramp.
    assert torch.allclose(inside, torch.full_like(inside, -10.0), atol=2.5 if sampling == "hann" else 1e-3)


def test_the_gradient_of_the_window_reaches_further_than_the_linear_one():
    step = torch.where(torch.arange(WIDTH) >= 6, 80.0, 0.0).expand(1, 1, 2, WIDTH)

    def slope(sampling: str) -> float:
        disparity = torch.full((1, 1, 2, WIDTH), 1.5, requires_grad=True)
        warp_right_to_left(step, disparity, sampling).view[0, 0, 0, 6].backward()  # reads 4.5, two columns off the edge
        return disparity.grad[0, 0, 0, 6].item()

    assert slope("bilinear") == 0
    assert slope("hann") < -1


def test_wrong_names_and_sizes_are_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"bilinear.*lanczos"):
        warp_right_to_left(ramp(), torch.zeros(1, 1, 2, WIDTH), "lanczos")
    with pytest.raises(ValueError, match=r"expected a disparity"):
        warp_right_to_left(ramp(), torch.zeros(1, 1, 2, WIDTH + 1))
    with pytest.raises(ValueError, match=r"cosine.*huber"):
        feature_distance(ramp(), ramp(), "huber")
    with pytest.raises(ValueError, match=r"size_multiple"):
        feature_reconstruction(torch.zeros(1, 4, 3, 4), torch.zeros(1, 4, 3, 4), torch.zeros(1, 1, 12, 18))


@pytest.mark.parametrize("sampling", sorted(set(SAMPLINGS) - {"hann"}))
def test_equal_images_have_no_error_at_disparity_0(world, sampling):
    left = world[0]
    zero = torch.zeros_like(world[2])
    error = photometric_error(left, warp_right_to_left(left, zero, sampling).view)
    assert error.shape == zero.shape
    assert error.max() < 1e-5
    error, in_view = feature_reconstruction(left[..., ::2, ::2], left[..., ::2, ::2], zero, sampling=sampling)
    assert error.abs().max() < 1e-5
    assert in_view.all()


def test_cosine_distance_by_hand_and_of_vectors_without_length():
    a, b = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1), torch.tensor([8.0, 6.0]).view(1, 2, 1, 1)
    assert feature_distance(a, b).item() == pytest.approx(1 - 48 / 50, abs=1e-6)
    nothing = torch.zeros(1, 2, 1, 1, requires_grad=True)
    error = feature_distance(nothing, b)
    error.sum().backward()
    assert error.item() == pytest.approx(0, abs=1e-6)
    assert nothing.grad.isfinite().all()


def test_photometric_error_by_hand():
    black, white = torch.zeros(1, 3, 4, 5), torch.full((1, 3, 4, 5), 255.0)
    # Flat images: SSIM = C1 / (1 + C1), so the structure term is 0.5 up to 5e-5, and |I - I*| = 1.
    assert photometric_error(black, white).mean().item() == pytest.approx(0.85 * 0.5 + 0.15, abs=1e-4)
    assert photometric_error(black, white, gamma=0.0).mean().item() == pytest.approx(1.0)


def test_the_true_disparity_reconstructs_the_world_where_it_is_seen(world):
    left, right, truth, seen = world
    # Windows of 3x3 next to an occlusion or a depth edge look at two surfaces.
    step = functional.max_pool2d(truth, 5, 1, 2) + functional.max_pool2d(-truth, 5, 1, 2)
    inside = (-functional.max_pool2d(-seen.float(), 3, 1, 1) > 0) & (step < 2)

    def error(shift_px: float) -> float:
        view, in_view = warp_right_to_left(right, truth + shift_px)
        return photometric_error(left, view)[inside & in_view].mean().item()

    assert error(0.0) < 0.02
    assert error(0.0) < 0.5 * min(error(-0.5), error(0.5))
    hidden = photometric_error(left, warp_right_to_left(right, truth).view)[~seen].mean().item()
    assert hidden > 10 * error(0.0)


@pytest.mark.parametrize("distance", sorted(DISTANCES))
@pytest.mark.parametrize("stride", [1, 2])
def test_deep_features_fit_best_at_the_true_disparity(world, distance, stride):
    left, right, truth, seen = world
    torch.manual_seed(0)
    filters = torch.randn(16, 3, 5, 5) / 10
    features = [functional.conv2d(x - x.mean(1, keepdim=True) + 20, filters, None, stride, 2) for x in (left, right)]
    seen = -functional.max_pool2d(-seen.float(), stride) > 0

    def error(shift_px: int) -> float:
        result, in_view = feature_reconstruction(*features, truth + shift_px, distance)
        return result[seen & in_view].mean().item()

    errors = {shift: error(shift) for shift in range(-2, 3)}
    assert min(errors, key=errors.get) == 0, errors


def test_the_photometric_error_pulls_a_wrong_disparity_to_the_truth():
    image = (127 + 80 * torch.sin(torch.arange(40) / 3.0)).expand(1, 3, 6, 40)
    right = torch.roll(image, -4, 3)  # true disparity 4
    disparity = torch.full((1, 1, 6, 40), 3.0, requires_grad=True)
    photometric_error(image, warp_right_to_left(right, disparity).view)[..., 8:32].mean().backward()
    assert (disparity.grad[..., 10:30] < 0).float().mean() > 0.9


def test_smoothness_is_0_on_a_plane_and_cheaper_across_image_edges():
    image = torch.zeros(1, 3, 6, 10)
    image[..., 5:] = 255.0
    assert edge_aware_smoothness(torch.full((1, 1, 6, 10), 7.0), image).abs().max() == 0

    def cost(edge: int) -> float:
        disparity = torch.full((1, 1, 6, 10), 4.0)
        disparity[..., edge:] = 8.0
        return edge_aware_smoothness(disparity, image)[0, 0, 2, edge - 1].item()

    # Mean-normalised step over the mean of 6 px (edge 5), times exp(-1) on the image's edge.
    assert cost(5) == pytest.approx(4 / 6 * torch.tensor(-1.0).exp().item(), rel=1e-5)
    assert cost(3) == pytest.approx(4 / 6.8, rel=1e-5)


def test_smoothness_does_not_change_with_the_scale_of_the_disparity():
    torch.manual_seed(0)
    disparity, image = torch.rand(2, 1, 6, 10) + 1, torch.rand(2, 3, 6, 10) * 255
    assert torch.allclose(
        edge_aware_smoothness(disparity, image), edge_aware_smoothness(9 * disparity, image), rtol=1e-4
    )


def test_a_near_strip_hides_as_many_columns_as_it_is_wide_at_most():
    disparity = torch.full((1, 1, 1, 30), 2.0)
    disparity[..., 20:23] = 8.0  # lands on columns 12..14, as do columns 14..16 of the background
    hidden = occluded_by_disparity(disparity)[0, 0, 0]
    assert hidden.nonzero().flatten().tolist() == [0, 1, 14, 15, 16]
    disparity[..., 15] = torch.nan
    assert not occluded_by_disparity(disparity)[0, 0, 0, 15]


def test_occlusion_from_the_left_disparity_is_that_of_the_renderer(world):
    _, _, truth, seen = world
    hidden = occluded_by_disparity(truth)
    assert (hidden & ~seen).sum() / (hidden | ~seen).sum() > 0.85


def test_the_maps_are_float32_inside_autocast(world):
    left, right, truth, _ = (part[:1] for part in world)
    with torch.autocast("cpu", torch.bfloat16):
        error = photometric_error(left, warp_right_to_left(right, truth).view)
        features = feature_reconstruction(left.bfloat16(), right.bfloat16(), truth.bfloat16()).view
        smooth = edge_aware_smoothness(truth, left)
    assert {error.dtype, features.dtype, smooth.dtype} == {torch.float32}
    assert torch.equal(error, photometric_error(left, warp_right_to_left(right, truth).view))
