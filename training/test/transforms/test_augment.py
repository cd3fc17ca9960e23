# SPDX-License-Identifier: Apache-2.0
"""Augmentation of stereo pairs: truth moves with the images, exactly."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from depth_runtime.camera import StereoCamera
from depth_training.data import Sample
from depth_training.transforms.augment import StereoAugmentation, augment_stereo, erase, misalign, recolour_pair
from depth_training.transforms.geometry import crop_sample, flip_sample, scale_sample

ROWS, COLUMNS = 90, 150
GEOMETRY_ONLY = StereoAugmentation(colour=0, chance_asymmetric=0, chance_erase=0, chance_misalign=0)
RECOLOUR_ONLY = StereoAugmentation((0, 0), 0, chance_erase=0, chance_misalign=0)


def texture(u, v):
    """Smooth bright-dark pattern of the slanted plane, 0..255, in pixels of the right view."""
    waves = np.sin(0.55 * u) + np.sin(0.23 * u + 0.31 * v) + np.sin(0.4 * v - 0.1 * u)
    return np.repeat((128 + 40 * waves)[..., None], 3, 2).round().astype(np.uint8)


@pytest.fixture
def plane():
    """A slanted plane: the left pixel x sees d = 6 + 0.04 x + 0.02 y, so the right one u sees (6 + ...) / 0.96."""
    y, x = np.mgrid[:ROWS, :COLUMNS].astype(np.float32)
    disparity = 6 + 0.04 * x + 0.02 * y
    right_disparity = (6 + 0.04 * x + 0.02 * y) / np.float32(0.96)
    return Sample(
        left=texture(x - disparity, y),
        right=texture(x, y),
        disparity_px=disparity,
        right_disparity_px=right_disparity,
        camera=StereoCamera(100.0, 110.0, 70.0, 68.0, 40.0, 0.5),
        name="plane",
    )


def mismatch(sample, wrong_px=0.0):
    """Mean |left - right warped by the truth| in grey levels, where the match lies inside the right view."""
    rows, columns = sample.left.shape[:2]
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    at = x - sample.disparity_px - np.float32(wrong_px)
    warped = cv2.remap(sample.right, at, y, cv2.INTER_LINEAR)
    inside = (at > 1) & (at < columns - 2) & (y > 1) & (y < rows - 2)
    return np.abs(warped.astype(float) - sample.left)[inside].mean()


def test_the_plane_itself_matches(plane):
    assert mismatch(plane) < 1.5
    assert mismatch(plane, 0.5) > 4


@pytest.mark.parametrize(("height", "width"), [(135, 225), (63, 120), (90, 200), (60, 75)])
def test_scaling_multiplies_disparity_by_the_ratio_of_the_widths(plane, height, width):
    scaled = scale_sample(plane, height, width)
    ratio_x, ratio_y = width / COLUMNS, height / ROWS
    y, x = np.mgrid[:height, :width]
    expected = ratio_x * (6 + 0.04 * ((x + 0.5) / ratio_x - 0.5) + 0.02 * ((y + 0.5) / ratio_y - 0.5))
    assert np.abs(scaled.disparity_px - expected)[2:-2, 2:-2].max() < 0.002
    left = scaled.camera.left
    assert (left.fx, left.fy) == pytest.approx((100 * ratio_x, 110 * ratio_y))
    assert (left.cx, left.cy) == pytest.approx((70.5 * ratio_x - 0.5, 40.5 * ratio_y - 0.5))
    assert scaled.camera.cx_right == pytest.approx(68.5 * ratio_x - 0.5)
    middle, old = scaled.true_depth_m()[height // 2, width // 2], plane.true_depth_m()[ROWS // 2, COLUMNS // 2]
    assert middle == pytest.approx(old, rel=0.02)
    assert mismatch(scaled) < 3 < mismatch(scaled, 0.7)


def test_scaling_invents_no_truth_at_edges_and_gaps(plane):
    disparity = np.where(np.arange(COLUMNS) < 71, np.float32(5), np.float32(20)) * np.ones((ROWS, 1), np.float32)
    scaled = scale_sample(replace(plane, disparity_px=disparity), 135, 225)
    assert np.unique(scaled.disparity_px).tolist() == [7.5, 30]
    sparse = np.full((ROWS, COLUMNS), np.nan, np.float32)
    sparse[10, 20], sparse[40, 61] = 8, 9
    scaled = scale_sample(replace(plane, disparity_px=sparse), 180, 300)
    assert np.argwhere(scaled.disparity_px == 16).tolist() == [[20, 40], [20, 41], [21, 40], [21, 41]]
    assert np.isfinite(scaled.disparity_px).sum() == 8


def test_labels_keep_their_values_when_scaled(plane):
    instance = np.zeros((ROWS, COLUMNS), np.uint16)
    instance[30:60, 50:80] = 26002
    scaled = scale_sample(replace(plane, instance=instance, occluded=instance > 0), 45, 75)
    assert np.unique(scaled.instance).tolist() == [0, 26002]
    assert (scaled.occluded == (scaled.instance > 0)).all()
    assert np.argwhere(scaled.occluded).min(0).tolist() == [15, 25]


def test_a_window_keeps_both_views_aligned(plane):
    window = crop_sample(replace(plane, neighbours=(plane.right, plane.left)), 11, 23, 50, 70)
    assert (window.left == plane.left[11:61, 23:93]).all()
    assert (window.right == plane.right[11:61, 23:93]).all()
    assert window.disparity_px[4, 5] == plane.disparity_px[15, 28]
    assert window.camera == StereoCamera(100, 110, 47, 45, 29, 0.5, (50, 70))
    assert (window.neighbours[0] == window.right).all()
    assert mismatch(window) < 1.5
    with pytest.raises(ValueError, match=r"window inside 150 x 90, got 70 x 50 at \(81, 11\) in 'plane'"):
        crop_sample(plane, 11, 81, 50, 70)


def test_regions_move_with_the_left_view_and_keep_their_colours(plane):
    regions = np.zeros((ROWS, COLUMNS, 3), np.uint8)
    regions[20:60, 40:100] = 250, 3, 77
    segmented = replace(plane, regions=regions)
    scaled = scale_sample(segmented, 45, 300)
    assert np.unique(scaled.regions.reshape(-1, 3), axis=0).tolist() == [[0, 0, 0], [250, 3, 77]]
    assert np.argwhere(scaled.regions[..., 0]).min(0).tolist() == [10, 80]
    assert (crop_sample(segmented, 11, 23, 50, 70).regions == regions[11:61, 23:93]).all()
    for seed in range(6):
        view = augment_stereo(segmented, 60, 100, np.random.default_rng(seed), GEOMETRY_ONLY)
        assert (view.name, view.regions.shape) == ("plane", (60, 100, 3))  # not flipped


def test_regions_take_the_mean_colours_of_the_recoloured_view(plane):
    regions = np.full((ROWS, COLUMNS, 3), 9, np.uint8)
    regions[:, 70:] = 250, 3, 77
    regions[40] = 0
    view = augment_stereo(replace(plane, regions=regions), ROWS, COLUMNS, np.random.default_rng(1), RECOLOUR_ONLY)
    assert (view.left != plane.left).any()
    assert (view.regions[40] == 0).all()
    for columns in (slice(0, 70), slice(70, COLUMNS)):
        region = np.delete(view.regions[:, columns], 40, 0).reshape(-1, 3)
        assert len(np.unique(region, axis=0)) == 1
        mean = np.delete(view.left[:, columns], 40, 0).mean((0, 1))
        np.testing.assert_allclose(region[0], np.maximum(mean, 1), atol=0.51)


def test_a_flipped_pair_is_a_stereo_pair_of_the_same_scene(plane):
    flipped = flip_sample(plane)
    assert (flipped.left == plane.right[:, ::-1]).all()
    assert mismatch(flipped) < 1.5
    assert mismatch(flipped, 0.5) > 4
    twice = flip_sample(flipped)
    assert (twice.left == plane.left).all()
    assert (twice.disparity_px == plane.disparity_px).all()
    assert twice.camera == plane.camera
    # The right camera's centre, 68, mirrored: 149 - 68; infinity has the same disparity.
    assert (flipped.camera.cx_left, flipped.camera.disparity_shift_px) == (81, 2)
    with pytest.raises(ValueError, match="right view to flip 'plane'"):
        flip_sample(replace(plane, right_disparity_px=None))


def test_random_views_match_and_are_repeated_by_their_seed(plane):
    flips = 0
    for seed in range(12):
        view = augment_stereo(plane, 60, 100, np.random.default_rng(seed), GEOMETRY_ONLY)
        again = augment_stereo(plane, 60, 100, np.random.default_rng(seed), GEOMETRY_ONLY)
        assert view.left.shape == (60, 100, 3)
        assert mismatch(view) < 3 < mismatch(view, 1.0)
        assert (view.left == again.left).all()
        assert (view.right == again.right).all()
        flips += view.name.endswith("flipped")
    assert 2 <= flips <= 10


def test_labels_and_missing_truth_forbid_flipping(plane):
    labelled = replace(plane, semantic=np.zeros((ROWS, COLUMNS), np.uint8))
    half = replace(plane, right_disparity_px=None)
    for seed in range(6):
        for sample in (labelled, half):
            assert augment_stereo(sample, 60, 100, np.random.default_rng(seed), GEOMETRY_ONLY).name == "plane"
    with pytest.raises(ValueError, match="one view in 'plane'"):
        augment_stereo(replace(plane, right=None), 60, 100, np.random.default_rng(0))


def test_a_window_larger_than_the_pair_is_filled(plane):
    view = augment_stereo(plane, 200, 160, np.random.default_rng(3), GEOMETRY_ONLY)
    assert view.left.shape == (200, 160, 3)
    assert mismatch(view) < 3 < mismatch(view, 1.0)


def test_colour_leaves_truth_alone_and_differs_between_eyes(plane):
    config = replace(GEOMETRY_ONLY, colour=1.0, colour_asymmetric=0.5, chance_asymmetric=1.0)
    plain = augment_stereo(plane, 60, 100, np.random.default_rng(5), GEOMETRY_ONLY)
    view = augment_stereo(plane, 60, 100, np.random.default_rng(5), config)
    assert (view.disparity_px == plain.disparity_px).all()
    same = np.full((4, 5, 3), (90, 120, 60), np.uint8)
    left, right = recolour_pair(same, same, np.random.default_rng(1), replace(config, chance_asymmetric=0.0))
    assert (left == right).all()
    assert (left != same).any()
    left, right = recolour_pair(same, same, np.random.default_rng(1), config)
    assert np.abs(left.astype(int) - right).max() > 3


def test_misalignment_is_vertical_and_small(plane):
    moved = misalign(plane.right, 2.0, 0.0)
    assert (moved[2:] == plane.right[:-2]).all()
    tilted = misalign(plane.right, 0.0, 3.0)
    assert (tilted[3:, -1] == plane.right[:-3, -1]).all()
    assert (tilted[:-3, 0] == plane.right[3:, 0]).all()


def test_erasing_hides_rectangles_of_the_right_view_only(plane):
    config = replace(GEOMETRY_ONLY, chance_erase=1.0, erase_px=(20, 30))
    plain = augment_stereo(plane, 60, 100, np.random.default_rng(2), GEOMETRY_ONLY)
    view = augment_stereo(plane, 60, 100, np.random.default_rng(2), config)
    assert (view.left == plain.left).all()
    changed = (view.right != plain.right).any(2)
    assert 0 < changed.sum() <= 2 * 30 * 30
    image = erase(plane.right, np.random.default_rng(0), (20, 30))
    rows, columns = np.nonzero((image != plane.right).any(2))
    assert np.unique(image[rows, columns], axis=0).shape == (1, 3)
