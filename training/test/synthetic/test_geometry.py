# SPDX-License-Identifier: Apache-2.0
"""Facts about rays and labels: closed-form distances, disparity, occlusion, photometric agreement."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from depth_models.labels import OBJECT
from depth_training.synthetic import Renderer, StereoWorld, TextureBank
from depth_training.synthetic.rotations import yaw_matrix
from depth_training.synthetic.scene import FAR, Scene
from depth_training.synthetic.street.builder import Body, Look, SceneBuilder, turn
from depth_training.synthetic.trace import CullingTracer, Tracer
from torch.nn import functional

HEIGHT, WIDTH, FOCAL_PX, BASELINE_M = 72, 120, 96.0, 0.3


@pytest.fixture(scope="module")
def bank() -> TextureBank:
    return TextureBank.procedural(22, seed=5)


def build(bank: TextureBank, *parts: tuple) -> Scene:
    """A scene of single parts: (shape, center, half, keyword arguments of SceneBuilder.part)."""
    builder = SceneBuilder(bank, np.random.default_rng(3))
    for shape, center, half, extra in parts:
        body = Body(OBJECT, center, instance=builder.instance())
        builder.part(body, shape, (0, 0, 0), half, Look("print"), **extra)
    sky = (100.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0)
    return builder.build(FOCAL_PX, BASELINE_M, (0.3, -1, -0.5), (0.6, 0.5, 0.0, 0.0), sky)


def cast(scene: Scene, *slopes: tuple[float, float]) -> torch.Tensor:
    """Depths [N] in metres along rays (x, y, 1) from the origin."""
    direction = torch.tensor([[(x, y, 1.0) for x, y in slopes]])
    return Tracer().nearest(scene, torch.zeros(1, 1, 3), direction)[0][0]


def test_a_ball_is_hit_at_its_distance_less_its_radius(bank):
    scene = build(bank, ("ellipsoid", (0, 0, 7.0), (1.5, 1.5, 1.5), {}))
    assert cast(scene, (0, 0)).item() == pytest.approx(5.5, abs=1e-4)
    assert cast(scene, (0.3, 0)).item() == FAR


def test_an_ellipsoid_has_its_own_half_axes(bank):
    scene = build(bank, ("ellipsoid", (0.4, 0, 6.0), (0.8, 1.1, 2.0), {}))
    # The ray straight ahead meets x = 0: (0.4 / 0.8)^2 + (z - 6)^2 / 4 = 1.
    assert cast(scene, (0, 0)).item() == pytest.approx(6 - 2 * np.sqrt(1 - 0.25), abs=1e-4)


def test_a_turned_box_is_hit_on_its_corner_face(bank):
    angle = 0.5
    scene = build(bank, ("box", (0, 0, 8.0), (2.0, 1.0, 1.0), {"tilt": turn(angle)}))
    # The near long face has the normal (sin, 0, cos) at 1 m from the centre.
    assert cast(scene, (0, 0)).item() == pytest.approx(8 - 1 / np.cos(angle), abs=1e-4)


def test_a_cylinder_has_round_sides_and_flat_ends(bank):
    scene = build(bank, ("cylinder", (0, 2.0, 5.0), (0.5, 1.0, 0.5), {}))
    side = cast(scene, (0, 0.35)).item()
    assert side == pytest.approx(4.5, abs=1e-4)
    # A flatter ray passes above the near rim (y = 1 at z = 4.5) and comes down on the top, y = 1.
    assert cast(scene, (0, 0.21)).item() == pytest.approx(1 / 0.21, abs=1e-3)


def test_a_prism_leans_by_its_taper(bank):
    taper, slope = 0.8, 0.05
    scene = build(bank, ("prism", (0, 0.2, 9.0), (1.0, 1.5, 2.0), {"form": (0.3, 0.1, taper)}))
    # Back plane in local units: z = -1 + taper (1 - y) / 2; the ray is y = slope t, z = t.
    expected = (9 + 2 * (-1 + taper / 2 * (1 + 0.2 / 1.5))) / (1 + 2 * taper / 2 * slope / 1.5)
    assert cast(scene, (0, slope)).item() == pytest.approx(expected, abs=1e-4)


def test_a_card_is_a_plane_within_its_rim(bank):
    circle = (0.5, *(0.0,) * 10, 9.0)
    scene = build(bank, ("card", (0, 0, 4.0), (1.0, 1.0, 0.1), {"form": circle, "tilt": turn(0.6)}))
    tan = np.tan(0.6)
    # The plane x sin + (z - 4) cos = 0 meets the ray x = s t at t = 4 / (1 + s tan).
    assert cast(scene, (0.05, 0)).item() == pytest.approx(4 / (1 + 0.05 * tan), abs=1e-4)
    assert cast(scene, (0, 0.12)).item() == pytest.approx(4, abs=1e-4)
    assert cast(scene, (0, 0.14)).item() == FAR  # 0.56 m from the centre, the rim is at 0.5 m


def test_disparity_times_depth_is_focal_times_baseline(bank):
    scene = build(bank, ("box", (0, 0, 6.0), (9.0, 9.0, 0.5), {}))
    disparity, occluded, semantic, instance = Renderer(bank, HEIGHT, WIDTH).labels(scene)
    torch.testing.assert_close(disparity, torch.full_like(disparity, FOCAL_PX * BASELINE_M / 5.5))
    assert (semantic == OBJECT).all()
    assert (instance == 1).all()
    # Only the strip that leaves the right image (5.24 px wide) is hidden from it.
    assert occluded[0, 0].float().mean(0).tolist() == [1.0] * 6 + [0.0] * (WIDTH - 6)


def test_pixel_rays_follow_the_calibration(bank):
    # A ball at column 90.25, row 20.75 for a principal point at (W - 1) / 2, (H - 1) / 2.
    x, y, z = (90.25 - (WIDTH - 1) / 2) * 5 / FOCAL_PX, (20.75 - (HEIGHT - 1) / 2) * 5 / FOCAL_PX, 5.0
    scene = build(bank, ("ellipsoid", (x, y, z), (0.4, 0.4, 0.01), {}))
    instance = Renderer(bank, HEIGHT, WIDTH).labels(scene)[3][0]
    rows, columns = torch.nonzero(instance, as_tuple=True)
    assert columns.float().mean().item() == pytest.approx(90.25, abs=0.3)
    assert rows.float().mean().item() == pytest.approx(20.75, abs=0.3)


def test_a_sequence_follows_camera_and_things(bank):
    builder = SceneBuilder(bank, np.random.default_rng(3))
    body = Body(OBJECT, (0, 0, 9.0), velocity=(0.0, 0.0, -1.5), instance=builder.instance())
    builder.part(body, "box", (0, 0, 0), (9.0, 9.0, 0.5), Look("print"))
    scene = builder.build(FOCAL_PX, BASELINE_M, (0, -1, -1), (0.6, 0, 0, 0), (100.0, 1.0, *(1.0,) * 3, *(0.0,) * 3))
    seconds = torch.tensor((0.0, 0.4, 1.0))
    positions = torch.stack((0 * seconds, 0 * seconds, 2.0 * seconds), -1)[:, None]
    turned = yaw_matrix(torch.tensor((0.0, 0.0, 0.25))).transpose(-1, -2)[:, None]
    samples = list(Renderer(bank, 5, 7).sequence(scene, positions, turned, seconds))
    depth = [FOCAL_PX * BASELINE_M / sample.disparity[0, 0, 2, 3].item() for sample in samples]
    # The front is at 8.5 - 1.5 t, the camera at 2 t; looking aside, depth along the axis is d / cos.
    assert depth == pytest.approx([8.5, 8.5 - 3.5 * 0.4, 5.0 / np.cos(0.25)], rel=1e-4)


def test_occlusion_agrees_with_a_z_check_against_the_right_view(bank):
    world = StereoWorld(bank, HEIGHT, WIDTH, seed=11)
    scene = world.scenes(2, {"indoor": 1, "flying": 1})
    scene.baseline *= 0.2  # these scenes have up to 190 px at any image size
    disparity, occluded, *_ = world.renderer.labels(scene)
    right = world.renderer.eyes(scene, None)[1][:, 0]
    seen = world.renderer.labels(scene, right)[0]  # disparities of the surfaces that the right camera sees
    column = torch.arange(WIDTH) - disparity
    inside = (column >= 0) & (disparity > 0)
    nearest = column.round().long().clamp(0, WIDTH - 1)
    hidden = (seen.gather(3, nearest) > disparity + 1) | (column < 0)
    agree = (hidden == occluded)[inside | (column < 0)].float().mean().item()
    assert agree > 0.95  # the rest are rounded columns along edges
    assert 0.02 < occluded.float().mean().item() < 0.6


def test_culling_changes_no_ray(bank):
    world = StereoWorld(bank, HEIGHT, WIDTH, seed=2)
    scene = world.scenes(1, {"drive": 1})
    renderer = Renderer(bank, HEIGHT, WIDTH)
    rays = renderer.directions(scene, 1)[:, 30:54, 40:70].flatten(1, 2)
    origin = torch.zeros(1, 1, 3)
    (t, index), (t_culled, index_culled) = (
        tracer.nearest(scene, origin, rays) for tracer in (Tracer(), CullingTracer())
    )
    assert torch.equal(t, t_culled)
    assert torch.equal(index[t < FAR], index_culled[t < FAR])
    points, sun = rays * (0.999 * t.clamp(max=500))[..., None], scene.sun[:, None]
    shadow, shadow_culled = (tracer.blocked(scene, points, sun, FAR / 2) for tracer in (Tracer(), CullingTracer()))
    assert torch.equal(shadow, shadow_culled)
    assert 0 < shadow.float().mean() < 1


def warp_error(sample, shift_px: float) -> float:
    """Mean |left - right(x - disparity - shift)| in grey levels, outside occlusions and depth edges."""
    b, _, h, w = sample.left.shape
    x = torch.arange(w) - sample.disparity[:, 0] - shift_px + 0.5
    y = (torch.arange(h) + 0.5).view(1, h, 1).expand(b, h, w)
    grid = torch.stack((x / w * 2 - 1, y / h * 2 - 1), -1)
    warped = functional.grid_sample(sample.right, grid, padding_mode="border", align_corners=False)
    high = functional.max_pool2d(sample.disparity, 5, 1, 2)
    low = -functional.max_pool2d(-sample.disparity, 5, 1, 2)
    unseen = functional.max_pool2d(sample.occluded.float(), 3, 1, 1) > 0
    keep = ~unseen & (high - low < 2) & (sample.disparity > 0)
    return (warped - sample.left).abs().mean(1, keepdim=True)[keep].mean().item()


@pytest.mark.parametrize("kind", ["drive", "indoor", "studio", "flying"])
def test_the_right_view_warped_by_the_true_disparity_is_the_left_view(bank, kind):
    world = StereoWorld(bank, 96, 160, seed=21)
    scene = world.scenes(2, {kind: 1})
    scene.baseline *= 0.25
    sample = world.renderer.render(scene)
    exact = warp_error(sample, 0.0)
    assert exact < 2.5
    assert min(warp_error(sample, 1.0), warp_error(sample, -1.0)) > 2.0 * exact
