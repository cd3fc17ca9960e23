# SPDX-License-Identifier: Apache-2.0
"""Facts about scenes: motion, labels, seeds, kinds."""

from __future__ import annotations

import pytest
import torch
from depth_models.labels import LABELS, ROAD, VEHICLE
from depth_runtime.spec import UNLABELLED
from depth_training.synthetic import DEFAULT_MIX, SCENE_KINDS, StereoWorld, TextureBank
from depth_training.synthetic.draw import Draw
from depth_training.synthetic.dress import dress
from depth_training.synthetic.rotations import random_rotation, yaw_matrix
from depth_training.synthetic.scene import SWING_ANGLE, SWING_PHASE, SWING_PIVOT, SWING_RATE, TEX_ID, Scene

THINGS = [label.id for label in LABELS if label.thing]


@pytest.fixture(scope="module")
def bank() -> TextureBank:
    return TextureBank.procedural(22, seed=6)


def world(bank: TextureBank, seed: int = 4, **options) -> StereoWorld:
    return StereoWorld(bank, 48, 80, seed=seed, **options)


def test_things_move_by_velocity_times_time(bank):
    scene = world(bank).scenes(3, {"drive": 1})
    moved = scene.moved(0.7)
    torch.testing.assert_close(moved.center, scene.center + 0.7 * scene.velocity)
    assert scene.velocity.abs().amax() > 1
    assert torch.equal(moved.rotation, scene.rotation)


def test_a_swinging_limb_keeps_its_pivot_and_its_length(bank):
    scene = world(bank).scenes(1, {"drive": 1})
    slot = 7
    scene.rotation[0, slot], scene.half[0, slot] = yaw_matrix(torch.tensor(0.4)), torch.tensor((0.1, 0.4, 0.1))
    scene.velocity[0, slot] = 0
    for column, value in ((SWING_ANGLE, 0.5), (SWING_RATE, 3.0), (SWING_PHASE, 0.2), (SWING_PIVOT, 1.0)):
        scene.swing[0, slot, column] = value

    def end(s: Scene, y: float) -> torch.Tensor:
        return s.center[0, slot] + s.rotation[0, slot].T @ torch.tensor((0.0, y, 0.0))

    early, late = scene.moved(0.1), scene.moved(0.6)
    torch.testing.assert_close(end(early, -0.4), end(late, -0.4))
    assert (end(early, 0.4) - end(late, 0.4)).norm() > 0.15
    assert early.rotation[0, slot] @ early.rotation[0, slot].T == pytest.approx(torch.eye(3), abs=1e-6)


def test_a_positive_yaw_turns_the_heading_to_the_right():
    heading = yaw_matrix(torch.tensor(0.3)).T @ torch.tensor((0.0, 0.0, 1.0))
    assert heading.tolist() == pytest.approx([torch.tensor(0.3).sin().item(), 0, torch.tensor(0.3).cos().item()])


def test_random_rotations_are_rotations():
    r = random_rotation(Draw.seeded(1), 5)
    torch.testing.assert_close(r @ r.transpose(-1, -2), torch.eye(3).expand(5, 3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(r), torch.ones(5))


@pytest.mark.parametrize("kind", ["drive", "indoor"])
def test_instances_number_things_only(bank, kind):
    sample = world(bank).batch(2, {kind: 1}, augmented=False)
    thing = torch.isin(sample.semantic, torch.tensor(THINGS))
    assert thing.any()
    assert torch.equal(sample.instance > 0, thing)
    assert sample.semantic.max() < len(LABELS)


def test_parts_of_a_car_share_one_instance(bank):
    scene = world(bank).scenes(2, {"drive": 1})
    ids = scene.instance[0][scene.semantic[0] == VEHICLE]
    assert len(ids) == 6 + 6 + 4 + 2  # bodies, cabins, wheels of the first car, vans
    assert len(ids.unique()) == 6 + 2


def test_domain_randomised_scenes_carry_no_labels(bank):
    sample = world(bank).batch(1, {"flying": 1}, augmented=False)
    assert (sample.semantic == UNLABELLED).all()
    assert (sample.disparity > 0).any()


def test_a_seed_fixes_scene_images_and_augmentation(bank):
    one, same, other = (world(bank, seed).batch(3) for seed in (8, 8, 9))
    for name in vars(one):
        assert torch.equal(getattr(one, name), getattr(same, name)), name
    assert not torch.equal(one.left, other.left)
    assert one.left.shape == (3, 3, 48, 80)


def test_without_a_seed_the_global_one_counts(bank):
    results = []
    for _ in range(2):
        torch.manual_seed(3)
        results.append(world(bank, seed=None).batch(1, {"indoor": 1}).left)
    assert torch.equal(*results)


def test_the_mix_splits_the_batch_in_order(bank):
    scene = world(bank).scenes(10, {"flying": 0.3, "drive": 0.7})
    unlabelled = (scene.semantic == UNLABELLED).all(1)
    assert unlabelled.tolist() == [True] * 3 + [False] * 7
    assert sorted(DEFAULT_MIX) == sorted(SCENE_KINDS)


@pytest.mark.parametrize("mix", [{"space": 1.0}, {"drive": 0.0}])
def test_an_impossible_mix_is_refused_with_the_kinds(bank, mix):
    with pytest.raises(ValueError, match=r"drive.*flying.*indoor"):
        world(bank).scenes(2, mix)


def test_suitable_textures_follow_the_label(bank):
    for suitable, expected in ((1.0, 1.0), (0.0, 0.3)):
        scene = world(bank).scenes(4, {"drive": 1})
        dress(scene, bank, Draw.seeded(5), suitable)
        ids = scene.texture[..., TEX_ID][scene.semantic == ROAD].long().tolist()
        fraction = sum(bank.categories[i] in ("asphalt", "concrete", "wood") for i in ids) / len(ids)
        assert fraction == 1.0 if expected == 1.0 else fraction < 1.0


def test_batches_of_different_counts_cannot_be_joined(bank):
    scene = world(bank).scenes(1, {"indoor": 1})
    with pytest.raises(ValueError, match="equal counts"):
        Scene.cat([scene, scene.only(torch.arange(5))])
