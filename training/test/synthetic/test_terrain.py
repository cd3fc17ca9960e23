# SPDX-License-Identifier: Apache-2.0
"""Facts about what makes the world hard: ground that is no plane, plain walls, little light, haze, shining cars."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from depth_models.labels import BUILDING, ROAD, SIDEWALK, VEHICLE
from depth_training.synthetic import StereoWorld, TextureBank, terrain
from depth_training.synthetic.draw import Draw
from depth_training.synthetic.photometric import in_the_dark
from depth_training.synthetic.scene import BULGE, CONTRAST, HAZE, MIRROR_CONTRAST, SKY_GAIN, Scene
from depth_training.synthetic.studio import WALL
from torch.nn import functional

HEIGHT, WIDTH = 64, 96


@pytest.fixture(scope="module")
def bank() -> TextureBank:
    return TextureBank.procedural(22, seed=6)


@pytest.fixture
def world(bank) -> StereoWorld:
    return StereoWorld(bank, HEIGHT, WIDTH, seed=17)


def points(world: StereoWorld, scene: Scene) -> tuple[torch.Tensor, torch.Tensor]:
    """World coordinates [B, N, 3] of the left view's pixels and their labels [B, N]."""
    disparity, _, semantic, _ = world.renderer.labels(scene)
    depth = (scene.focal * scene.baseline).view(-1, 1, 1) / disparity[:, 0].clamp(min=1e-9)
    return (world.renderer.directions(scene, 1) * depth[..., None]).flatten(1, 2), semantic.flatten(1)


def test_a_sloping_road_is_flat_at_first_and_straight_later(world, monkeypatch):
    monkeypatch.setattr(terrain, "SLOPES", 1.0)
    scene = world.scenes(10, {"drive": 1})
    bends = 0
    for xyz, label in zip(*points(world, scene), strict=True):
        road = xyz[(label == ROAD) & (xyz[:, 2] > 0) & (xyz[:, 2] < 200)]
        z, y = road[:, 2], road[:, 1]
        near, far = z < 8, z > 50
        assert y[near].max() - y[near].min() < 0.02  # lane markings lie a little above it
        if far.sum() > 10:
            line = torch.linalg.lstsq(torch.stack((z[far], torch.ones_like(z[far])), -1), y[far, None]).solution[:, 0]
            assert (z[far] * line[0] + line[1] - y[far]).abs().max() < 0.1
            bends += bool((z[far] * line[0] + line[1] - y[near].mean()).abs().max() > 0.3)
    assert bends >= 2


def test_things_stand_on_the_slope(world, monkeypatch):
    monkeypatch.setattr(terrain, "SLOPES", 0.0)
    state = world.draw.generator.get_state()
    flat = world.scenes(3, {"drive": 1})
    monkeypatch.setattr(terrain, "SLOPES", 1.0)
    monkeypatch.setattr(terrain, "CROWNS", 0.0)
    world.draw.generator.set_state(state)
    sloping = world.scenes(3, {"drive": 1})
    slab = world.generator.slots("box", *terrain.FAR_GROUND)[:1]
    along = sloping.rotation[:, slab[0], 2]  # the slab's own z axis in the world
    start = sloping.center[:, 0, 2] + sloping.half[:, 0, 2]
    trunks = world.generator.slots("cylinder", 3, 7)
    rise = flat.center[:, trunks, 1] - sloping.center[:, trunks, 1]
    expected = (flat.center[:, trunks, 2] - start[:, None]).clamp(min=0) * (-along[:, 1] / along[:, 2])[:, None]
    torch.testing.assert_close(rise, expected, atol=1e-4, rtol=1e-4)
    assert rise.abs().max() > 0.1


def test_a_crowned_road_is_highest_in_the_middle(world, monkeypatch):
    monkeypatch.setattr(terrain, "SLOPES", 0.0)
    monkeypatch.setattr(terrain, "CROWNS", 1.0)
    scene = world.scenes(3, {"drive": 1})
    crown = world.generator.slots("ellipsoid", *terrain.CROWN)[0]
    for number, (xyz, label) in enumerate(zip(*points(world, scene), strict=True)):
        half_x, high = scene.half[number, crown, :2]
        ground = scene.center[number, crown, 1]
        road = xyz[(label == ROAD) & (xyz[:, 2] > 0) & (xyz[:, 2] < 25) & (xyz[:, 0].abs() < 0.95 * half_x)]
        arch = high * (1 - (road[:, 0] / half_x) ** 2).sqrt()
        assert (ground - road[:, 1] - arch).abs().max() < 0.03
        assert 0.03 <= high <= 0.2


def test_banks_are_terrain_and_low(world, monkeypatch):
    monkeypatch.setattr(terrain, "BANKED", 1.0)
    scene = world.scenes(3, {"drive": 1})
    slots = world.generator.slots("ellipsoid", *terrain.BANKS)
    assert (scene.semantic[:, slots] == SIDEWALK).all()
    assert (scene.half[:, slots, 1] <= 1.2).all()
    assert (scene.center[:, slots, 2] > 0).all()


def test_most_walls_of_a_studio_have_nothing_to_match(world):
    scene = world.scenes(12, {"studio": 1})
    sample = world.renderer.render(scene)
    wall = (sample.semantic == BUILDING)[:, None].float()
    inside = functional.max_pool2d(1 - wall, 5, 1, 2) == 0
    steps = (sample.left - functional.avg_pool2d(sample.left, 3, 1, 1)).abs().mean(1, keepdim=True)
    plain = torch.tensor([float(s[i].median()) < 1 for s, i in zip(steps, inside, strict=True) if i.any()])
    assert plain.float().mean() > 0.6
    assert inside.float().mean() > 0.2
    assert (scene.colour[:, WALL, CONTRAST] > 0.2).any()  # not all: plain must not mean far


def test_haze_at_night_is_as_dark_as_the_sky(world):
    scene = world.scenes(200, {"drive": 1})
    night = scene.sky[:, SKY_GAIN].mean(1) < 0.33
    hazy = scene.light[:, HAZE] > 0
    assert 0.03 < night.float().mean() < 0.2
    assert hazy[night].all()
    assert 0.1 < hazy.float().mean() < 0.4


def test_darkness_is_shared_by_the_eyes_and_its_noise_is_not():
    draw = Draw.seeded(3)
    view = draw.uniform(0.2, 0.8, 40, 3, 1, 1).expand(40, 3, 16, 24)
    left, right = in_the_dark(view, view, draw, 0.5)
    dark = (left != view).flatten(1).any(1)
    assert torch.equal(dark, (right != view).flatten(1).any(1))
    assert 0.25 < dark.float().mean() < 0.75
    left, right, view = left[dark], right[dark], view[dark]
    assert left.mean() < 0.7 * view.mean()
    assert 0 <= left.min() <= left.max() <= 1
    noise = torch.stack([(x - x.mean((2, 3), keepdim=True)).flatten() for x in (left, right)])
    assert noise[0].std() > 0.004
    assert abs(torch.corrcoef(noise)[0, 1]) < 0.1
    brightness = [x.mean((1, 2, 3)) for x in (left, right)]
    torch.testing.assert_close(*brightness, atol=0.02, rtol=0.05)


def test_cars_mirror_more_where_they_are_seen_aslant_and_their_faces_look_round(world):
    scene = world.scenes(6, {"drive": 1})
    cars = world.generator.slots("box", 9, 15)
    assert (scene.form[:, cars, BULGE] > 0.05).any()
    others = world.generator.slots("box", 0, 9) + world.generator.slots("box", 17, 25)
    assert (scene.form[:, others, BULGE] == 0).all()
    eye = torch.zeros(6, 1, 3)
    before = world.renderer.labels(scene)
    pictures = [world.renderer.view(scene, eye)]
    solids = scene.form[:, : world.generator.slots("prism")[-1] + 1]
    for table, columns in ((solids, BULGE), (scene.sky, slice(MIRROR_CONTRAST, None))):
        table[..., columns] = 0.0
        pictures.append(world.renderer.view(scene, eye))
    vehicle = (before[2] == VEHICLE)[:, None]
    for first, second in pairwise(pictures):
        change = (first - second).abs().mean(1, keepdim=True)
        assert change[vehicle].mean() > 1
        assert change[vehicle].mean() > 4 * change[~vehicle].mean()
    for one, other in zip(before, world.renderer.labels(scene), strict=True):
        assert torch.equal(one, other)  # the truth is that of flat faces
