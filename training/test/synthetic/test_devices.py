# SPDX-License-Identifier: Apache-2.0
"""Facts about rendering on a GPU that need none: nothing asks the device for a value, compiled kernels agree."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
import torch
from depth_training.synthetic import DEFAULT_MIX, Renderer, StereoWorld, TextureBank
from depth_training.synthetic.procedural import make_textures
from depth_training.synthetic.scene import SHADOW

HEIGHT, WIDTH = 32, 48


@pytest.fixture(scope="module")
def textures() -> tuple:
    return make_textures(12, seed=2)


def test_a_batch_neither_waits_for_the_device_nor_mixes_devices(textures):
    # Tensors on "meta" have a shape and no values: reading one, or computing with a CPU tensor, is an error.
    bank = TextureBank(*textures, device="meta")
    sample = StereoWorld(bank, HEIGHT, WIDTH, seed=4).batch(4, DEFAULT_MIX)
    assert all(value.device.type == "meta" for value in vars(sample).values())
    assert sample.left.shape == sample.right.shape == (4, 3, HEIGHT, WIDTH)
    assert sample.disparity.shape == (4, 1, HEIGHT, WIDTH)
    with pytest.raises((RuntimeError, NotImplementedError)):
        sample.left.max().item()


def test_a_seed_gives_the_same_scenes_for_every_device(textures):
    here, there = (
        StereoWorld(TextureBank(*textures, device=device), HEIGHT, WIDTH, seed=4) for device in ("cpu", "meta")
    )
    torch.manual_seed(1)
    scenes = here.scenes(3)
    there.scenes(3)
    assert torch.equal(here.draw.uniform(0, 1, 5), there.draw.uniform(0, 1, 5))
    assert scenes.center.device.type == "cpu"


def test_reseeding_starts_scenes_and_cameras_again(textures):
    world = StereoWorld(TextureBank(*textures), HEIGHT, WIDTH, seed=4)
    first = world.batch(2, {"studio": 1})
    world.reseed(4)
    again = world.batch(2, {"studio": 1})
    assert torch.equal(first.left, again.left)
    assert torch.equal(first.right, again.right)
    with pytest.raises(ValueError, match="global random numbers"):
        StereoWorld(TextureBank(*textures), HEIGHT, WIDTH).reseed(4)


def test_whole_batches_and_tiles_that_skip_work_give_the_same_picture(textures):
    world = StereoWorld(TextureBank(*textures), HEIGHT, WIDTH, seed=9)
    scene = world.scenes(4, {"flying": 0.5, "drive": 0.5})
    scene.light[0, SHADOW] = 0.0
    whole, tiled = (Renderer(world.bank, HEIGHT, WIDTH, tile=tile).render(scene) for tile in (None, 16))
    for name in vars(whole):
        torch.testing.assert_close(getattr(whole, name), getattr(tiled, name), atol=1e-3, rtol=1e-5, msg=name)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
def test_compiled_kernels_give_the_picture_of_the_plain_ones():
    # In a process of its own: the compiler imports setuptools, which refuses to work where a test has met distutils.
    child = subprocess.run([sys.executable, __file__], capture_output=True, text=True, timeout=1800)
    assert child.returncode == 0, child.stderr[-3000:]
    differences = json.loads(child.stdout.splitlines()[-1])
    assert len(differences) == 2
    # Rays that graze an edge may fall on either side of it.
    assert max(differences) < 0.1


def compiled_differences() -> list[float]:
    """Mean difference in grey levels between compiled and plain kernels, for two batches."""
    world = StereoWorld(TextureBank(*make_textures(12, seed=2)), HEIGHT, WIDTH, seed=9)
    plain = Renderer(world.bank, HEIGHT, WIDTH)
    compiled = Renderer(world.bank, HEIGHT, WIDTH, compiled=True)
    differences = []
    for stance in ("default", "fail_on_recompile"):  # the second batch must find the kernels of the first
        scene = world.scenes(2, {"drive": 1, "studio": 1})
        eye = plain.eyes(scene, None)[1]
        with torch.compiler.set_stance(stance):
            picture = compiled.view(scene, eye)
        differences.append((picture - plain.view(scene, eye)).abs().mean().item())
    return differences


if __name__ == "__main__":
    print(json.dumps(compiled_differences()))
