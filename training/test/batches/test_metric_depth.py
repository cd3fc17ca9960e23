# SPDX-License-Identifier: Apache-2.0
"""Depth and focal length of batches: metres stay metres, and canonical depth knows no camera."""

import math

import numpy as np
import pytest
import torch
from depth_models.labels import BUILDING, SKY
from depth_runtime.camera import Camera, StereoCamera
from depth_training.batches.dataset_source import collate_samples
from depth_training.batches.stereo_batch import StereoBatch
from depth_training.batches.synthetic_source import batch_of_sample
from depth_training.data import Sample
from depth_training.synthetic import Renderer, StereoWorld, TextureBank
from depth_training.synthetic.street.builder import Body, Look, SceneBuilder
from depth_training.transforms.geometry import crop_sample, flip_sample, scale_sample

CPU = torch.device("cpu")
HEIGHT, WIDTH, CANONICAL_PX = 32, 64, 500.0


@pytest.fixture(scope="module")
def bank() -> TextureBank:
    return TextureBank.procedural(22, seed=5)


def wall_and_box(bank: TextureBank, focal_px: float, stretch: float = 1.0) -> StereoBatch:
    """A wall 12 m away and a box 5 m away, all distances (and depths of bodies) times `stretch`; sky around."""
    builder = SceneBuilder(bank, np.random.default_rng(3))
    for x, z, half in ((-1.0, 13.0, (3.0, 2.0, 1.0)), (1.5, 6.0, (0.5, 0.5, 1.0))):
        body = Body(BUILDING, (x, 0.0, z * stretch), instance=0)
        builder.part(body, "box", (0, 0, 0), (*half[:2], half[2] * stretch), Look("print"))
    scene = builder.build(focal_px, 0.4, (0.3, -1, -0.5), (0.6, 0.5, 0.0, 0.0), (100.0, 1.0, 1.0, 1.0, 1.0, 0, 0, 0))
    return batch_of_sample(Renderer(bank, HEIGHT, WIDTH, samples=1).render(scene))


def test_the_world_knows_the_metres_that_its_walls_were_put_at(bank):
    batch = wall_and_box(bank, 50.0)
    assert batch.focal_px.tolist() == [50.0]
    depth_m = batch.depth_m[0, 0]
    assert depth_m[16, 20].item() == pytest.approx(12.0, rel=1e-4)
    assert depth_m[16, 47].item() == pytest.approx(5.0, rel=1e-4)
    assert (batch.semantic[0, 0, 0].item(), depth_m[0, 0].item()) == (SKY, math.inf)


def test_another_focal_length_sees_the_same_metres_and_other_canonical_ones(bank):
    wide, long = (wall_and_box(bank, focal_px) for focal_px in (25.0, 75.0))
    # What lies n pixels from the middle (15.5, 31.5) for one camera lies 3 n pixels from it for the other.
    rows, columns = torch.meshgrid(torch.arange(12, 20), torch.arange(24, 40), indexing="ij")
    seen = wide.depth_m[0, 0, 12:20, 24:40]
    torch.testing.assert_close(long.depth_m[0, 0, 3 * rows - 31, 3 * columns - 63], seen)
    assert {5.0, 12.0, math.inf} <= set(seen.round(decimals=3).unique().tolist())
    for batch, ratio in ((wide, 20.0), (long, 20 / 3)):
        torch.testing.assert_close(batch.canonical_depth_m(CANONICAL_PX), ratio * batch.depth_m)


def test_what_looks_alike_has_the_same_canonical_depth_whatever_camera_saw_it(bank):
    """Twice the focal length and everything twice as far: the same picture, so a network must predict the same."""
    near, far = wall_and_box(bank, 40.0), wall_and_box(bank, 80.0, stretch=2.0)
    assert torch.equal(near.semantic, far.semantic)
    canonical = [batch.canonical_depth_m(CANONICAL_PX) for batch in (near, far)]
    torch.testing.assert_close(*canonical, rtol=1e-4, atol=0)
    finite = near.depth_m.isfinite()
    torch.testing.assert_close(far.depth_m[finite], 2 * near.depth_m[finite], rtol=1e-4, atol=0)


def test_canonical_depth_is_that_of_a_pair_with_the_canonical_focal_length():
    """Z_c = f_c B / d: the views' own focal length cancels out."""
    world = StereoWorld(TextureBank.procedural(4), HEIGHT, WIDTH, seed=1)
    scenes = world.scenes(3, {"drive": 1.0})
    batch = batch_of_sample(world.renderer.render(scenes))
    assert len(batch.focal_px.unique()) == 3
    assert ((batch.focal_px >= 0.5 * WIDTH) & (batch.focal_px <= 1.1 * WIDTH)).all()
    wanted = CANONICAL_PX * scenes.baseline.view(3, 1, 1, 1) / batch.disparity_px
    torch.testing.assert_close(batch.canonical_depth_m(CANONICAL_PX), wanted)


def pair(**fields: object) -> Sample:
    """A recorded pair of 16 x 24 px whose depth is 2 m at the left and 3 m at the right."""
    image = np.zeros((16, 24, 3), np.uint8)
    camera = StereoCamera(30.0, 30.0, 11.5, 11.5, 7.5, 0.2)
    depth_m = np.where(np.arange(24) < 12, 2.0, 3.0).astype(np.float32) * np.ones((16, 1), np.float32)
    disparity_px = np.float32(30.0 * 0.2) / depth_m
    return Sample(**({"left": image, "right": image, "disparity_px": disparity_px, "camera": camera} | fields))


def test_scale_and_crop_keep_metres_and_the_focal_length_is_that_of_the_view():
    for view, focal_px in (
        (pair(), 30.0),
        (scale_sample(pair(), 32, 48), 60.0),
        (crop_sample(pair(), 3, 4, 8, 16), 30.0),
        (crop_sample(scale_sample(pair(), 8, 12), 0, 1, 8, 10), 15.0),
    ):
        batch = collate_samples([view], CPU)
        assert batch.focal_px.tolist() == [pytest.approx(focal_px)]
        width = batch.depth_m.shape[-1]
        torch.testing.assert_close(batch.depth_m[0, 0, 4, [1, width - 2]], torch.tensor([2.0, 3.0]))
        canonical = batch.canonical_depth_m(CANONICAL_PX)[0, 0, 4, 1]
        assert canonical.item() == pytest.approx(2 * CANONICAL_PX / focal_px, rel=1e-5)


def test_a_flip_keeps_metres_and_turns_their_sides_round():
    sample = pair(right_disparity_px=pair().disparity_px)
    batch = collate_samples([flip_sample(sample)], CPU)
    assert batch.focal_px.tolist() == [30.0]
    torch.testing.assert_close(batch.depth_m[0, 0, 4, [1, -2]], torch.tensor([3.0, 2.0]))


def test_a_stretched_view_has_the_mean_of_its_focal_lengths():
    batch = collate_samples([scale_sample(pair(), 16, 48)], CPU)
    assert batch.focal_px.item() == pytest.approx(30 * math.sqrt(2))
    assert batch.depth_m[0, 0, 4, 1].item() == pytest.approx(2.0)


def test_measured_depth_goes_before_that_of_disparity_and_needs_one_camera_only():
    lidar = np.full((16, 24), 7.0, np.float32)
    lidar[:4] = np.nan
    batch = collate_samples([pair(depth_m=lidar, camera=Camera(30.0, 30.0, 11.5, 7.5))], CPU)
    assert batch.depth_m[0, 0, 8].unique().tolist() == [7.0]
    assert batch.depth_m[0, 0, :4].isnan().all()


def test_sky_and_what_is_left_without_disparity_are_infinitely_far():
    semantic = np.full((16, 24), BUILDING, np.uint8)
    semantic[:2] = SKY
    disparity_px = pair().disparity_px
    disparity_px[:4], disparity_px[4] = np.nan, 0
    depth_m = collate_samples([pair(semantic=semantic, disparity_px=disparity_px)], CPU).depth_m[0, 0]
    assert depth_m[:2].isinf().all()
    assert depth_m[2:4].isnan().all()
    assert depth_m[4].isinf().all()


def test_samples_without_a_camera_join_those_with_one_as_unknown():
    assert collate_samples([pair(camera=None)], CPU).known().keys().isdisjoint({"depth_m", "focal_px"})
    mixed = collate_samples([pair(camera=None), pair()], CPU)
    joined = StereoBatch.cat([collate_samples([pair(camera=None)], CPU), collate_samples([pair()], CPU)])
    for batch in (mixed, joined):
        assert batch.focal_px[0].isnan()
        canonical = batch.canonical_depth_m(CANONICAL_PX)
        assert canonical[0].isnan().all()
        assert canonical[1].isfinite().all()
    assert collate_samples([pair()], CPU).without_truth().canonical_depth_m(CANONICAL_PX).isnan().all()
