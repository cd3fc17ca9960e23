# SPDX-License-Identifier: Apache-2.0
"""Facts about textures: procedural ones vary, lookups are exact, archives come back."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest
import torch
from depth_training.synthetic import TextureBank
from depth_training.synthetic.draw import Draw
from depth_training.synthetic.pack import crops_of, main, square_crop
from depth_training.synthetic.procedural import MAKERS, make_texture, make_textures
from depth_training.synthetic.textures import mirror, sample_texture


@pytest.mark.parametrize("category", MAKERS)
def test_a_category_is_neither_flat_nor_always_the_same(category):
    a, b = make_texture(category, 1), make_texture(category, 2)
    assert a.shape == (512, 512, 3)
    assert a.dtype == np.uint8
    # Something to match at the scale of a few pixels, in most of the 64 px cells.
    cells = cv2.resize(a, (128, 128), interpolation=cv2.INTER_AREA).astype(float).mean(-1).reshape(8, 16, 8, 16)
    assert np.median(cells.std((1, 3))) > 0.8
    assert np.abs(a.astype(int) - b).mean() > 4
    assert np.array_equal(a, make_texture(category, 1))


def test_an_unknown_category_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"asphalt.*wood.*'lava'"):
        make_texture("lava", 0)


def test_all_categories_come_up_in_a_hundred_textures():
    images, names = make_textures(100, seed=3)
    assert len(images) == len(names) == 100
    assert set(names) == set(MAKERS)
    assert len({image.tobytes() for image in images}) == 100


@pytest.fixture
def ramp_bank() -> TextureBank:
    """Texture 1: red = column / 2, green = row / 2; texture 0: black."""
    y, x = np.mgrid[0:512, 0:512]
    ramp = np.stack((x // 2, y // 2, 0 * x + 7), -1).astype(np.uint8)
    return TextureBank([np.zeros_like(ramp), ramp], ["black", "ramp"])


@pytest.mark.parametrize("level", [0, 2, 5])
def test_a_lookup_reads_the_texel_at_any_level(ramp_bank, level):
    u, v = torch.tensor([301.0, 77.0]), torch.tensor([120.0, 402.0])
    tables = ramp_bank.texels, ramp_bank.level_start, ramp_bank.stride
    rgb = 255 * sample_texture(*tables, torch.ones(2), u, v, torch.full((2,), float(level)))
    expected = torch.stack((u / 2 - 0.5, v / 2 - 0.5, torch.full((2,), 7.0)), -1)
    torch.testing.assert_close(rgb, expected, atol=0.8, rtol=0)


def test_mirroring_is_continuous_and_stays_inside():
    x = torch.linspace(-700, 1500, 8801)
    y = mirror(x, 300.0)
    assert y.min() >= 0
    assert y.max() <= 300
    assert (y.diff().abs() <= 0.2501).all()
    assert mirror(torch.tensor(310.0), 300.0) == 290


def test_categories_choose_textures_and_a_miss_means_any(ramp_bank):
    assert ramp_bank.of("ramp").tolist() == [1]
    assert ramp_bank.of("photo").tolist() == [0, 1]
    assert set(ramp_bank.pick(Draw.seeded(1), ("ramp", "black"), 40).tolist()) == {0, 1}


def test_a_texture_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"512.*got uint8 \[300, 512, 3\]"):
        TextureBank([np.zeros((300, 512, 3), np.uint8)], ["x"])


def test_an_archive_of_photos_and_computed_textures_comes_back(tmp_path):
    photos = tmp_path / "photos" / "deep"
    photos.mkdir(parents=True)
    image = np.zeros((260, 400, 3), np.uint8)
    image[..., 2] = 200  # red in OpenCV's order
    cv2.imwrite(str(photos / "red.png"), image)
    cv2.imwrite(str(photos / "small.png"), image[:50, :50])
    main([str(tmp_path / "bank.npz"), f"3:{tmp_path / 'photos'}", "--procedural", "2", "--seed", "4"])
    bank = TextureBank.load(tmp_path / "bank.npz")
    assert bank.categories == ("asphalt", "concrete", "photo", "photo", "photo")
    texel = int(bank.texels[4 * bank.stride + 1000])
    assert (texel & 255, texel >> 8 & 255) == pytest.approx((200, 0), abs=4)
    assert TextureBank.load(tmp_path / "bank.npz", limit=1).count == 1


def test_a_crop_keeps_at_least_seventy_per_cent_of_the_short_side():
    x = np.tile((np.arange(500) // 2).astype(np.uint8), (250, 1))
    crop = square_crop(np.repeat(x[..., None], 3, -1), random.Random(2))
    width = (int(crop[0, -1, 0]) - int(crop[0, 0, 0])) * 2
    assert 0.68 * 250 < width <= 252
    assert crop.shape == (512, 512, 3)


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(ValueError, match="none usable"):
        list(crops_of(tmp_path, 2, random.Random(0)))
