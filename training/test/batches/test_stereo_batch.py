# SPDX-License-Identifier: Apache-2.0
"""Batches: what is unknown stays unknown, and a network is asked with the images that it needs."""

import numpy as np
import pytest
import torch
from depth_models.labels import SKY
from depth_training.batches.dataset_source import collate_samples
from depth_training.batches.stereo_batch import StereoBatch
from depth_training.data import Sample
from depth_training.transforms.geometry import random_window
from torch import nn

CPU = torch.device("cpu")


def sample(value: int, segmented: bool) -> Sample:
    image = np.full((4, 6, 3), value, np.uint8)
    return Sample(
        left=image,
        right=image + np.uint8(1),
        disparity_px=np.full((4, 6), value, np.float32),
        semantic=np.full((4, 6), 2, np.uint8),
        instance=np.full((4, 6), 3, np.uint16),
        regions=image + np.uint8(100) if segmented else None,
    )


class Sum(nn.Module):
    """Predicts the sum of its images."""

    inputs = ("left", "right")

    def forward(self, **images):
        assert tuple(images) == self.inputs
        images = images.values()
        return {"count": len(images), "disparity": sum(image[:, :1] for image in images)}


def test_regions_are_unknown_where_a_sample_has_none():
    assert collate_samples([sample(3, False)], CPU).regions is None
    mixed = collate_samples([sample(3, False), sample(7, True)], CPU).regions
    assert mixed[0].isnan().all()
    assert mixed[1].unique().tolist() == [107]
    assert mixed.shape == (2, 3, 4, 6)
    window = random_window(sample(7, True), 2, 3, np.random.default_rng(0))
    assert window.regions.shape == (2, 3, 3)


def test_batches_with_and_without_regions_join():
    parts = [collate_samples([sample(value, segmented)], CPU) for value, segmented in ((3, False), (7, True))]
    joined = StereoBatch.cat(parts)
    assert joined.left[:, 0, 0, 0].tolist() == [3, 7]
    assert joined.regions[0].isnan().all()
    assert joined.regions[1].unique().tolist() == [107]
    assert StereoBatch.cat(parts[:1] * 2).regions is None
    assert joined.first(1).left.shape[0] == 1


def test_a_network_gets_the_images_that_it_names():
    batch, network = collate_samples([sample(7, True)], CPU), Sum()
    prediction = batch.predict_with(network)
    assert (prediction["count"], prediction["disparity"].unique().tolist()) == (2, [15])
    network.inputs = ("left", "right", "regions")
    prediction = batch.predict_with(network)
    assert (prediction["count"], prediction["disparity"].unique().tolist()) == (3, [122])
    with pytest.raises(ValueError, match=r"with \['left', 'right', 'regions'\] for Sum, got no regions; write"):
        collate_samples([sample(7, False)], CPU).predict_with(network)


class LeftMaps(Sum):
    """Also tells the left view's brightness without the right one."""

    def left_view_maps(self, left):
        return {"brightness": left.mean(1)}


def test_what_the_left_view_decides_alone_is_all_that_is_computed_where_nothing_else_is_wanted():
    batch, network = collate_samples([sample(7, True)], CPU), LeftMaps()
    assert batch.predict_with(network, ("brightness",)).keys() == {"brightness"}
    assert batch.predict_with(network, ("brightness", "disparity")).keys() == {"count", "disparity"}
    assert batch.predict_with(network).keys() == {"count", "disparity"}


def test_without_truth_only_the_images_are_known():
    batch = collate_samples([sample(7, True)], CPU).without_truth()
    assert batch.disparity_px.isnan().all()
    assert batch.occluded.isnan().all()
    assert batch.semantic.unique().tolist() == [255]
    assert (batch.instance.any().item(), batch.has_instances.tolist()) == (False, [False])
    assert batch.left.unique().tolist() == [7]
    assert batch.regions.unique().tolist() == [107]


def test_sky_without_disparity_is_infinitely_far_and_all_else_stays_unknown():
    pair = sample(9, False)
    pair.disparity_px[:2] = np.nan
    pair.semantic[:, 3:] = SKY
    disparity_px = collate_samples([pair], CPU).disparity_px[0, 0]
    assert disparity_px[:2, :3].isnan().all()
    assert (disparity_px[:2, 3:] == 0).all()
    assert (disparity_px[2:] == 9).all()
