# SPDX-License-Identifier: Apache-2.0
"""Texture bank: mip pyramids packed into one flat tensor, so that a lookup is one gather."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from .draw import Draw

SIZE = 512
LEVELS = 10  # 512, 256, ..., 1


class TextureBank:
    """T square textures with a category name each.

    texels: int32 [T * stride], RGB packed as r | g << 8 | b << 16, all mip levels of a texture in a row.
    """

    def __init__(self, images: Sequence[np.ndarray], categories: Sequence[str], device: torch.device | str = "cpu"):
        """images: uint8 [512, 512, 3] RGB each. Raises ValueError on another shape or a count that differs."""
        if len(images) != len(categories) or not images:
            raise ValueError(f"expected as many categories as images, got {len(images)} and {len(categories)}")
        pyramids = torch.from_numpy(np.stack([_pyramid(image) for image in images])).int()
        packed = pyramids[..., 0] | pyramids[..., 1] << 8 | pyramids[..., 2] << 16
        self.texels = packed.flatten().to(device)
        self.categories = tuple(categories)
        self.count, self.stride = len(images), packed.shape[1]
        starts = np.cumsum([0] + [(SIZE >> i) ** 2 for i in range(LEVELS - 1)])
        self.level_start = torch.tensor(starts, device=device)

    @classmethod
    def load(cls, path: str | Path, device: torch.device | str = "cpu", limit: int | None = None) -> TextureBank:
        """Read an archive written by `pack-textures` or `textures` (at most `limit` textures).

        Raises ValueError for any other file, OSError when there is none.
        """
        with open(path, "rb") as file:
            archive = np.load(file) if zipfile.is_zipfile(file) else {}
            if not {"data", "offsets"} <= set(archive):
                raise ValueError(f"expected an archive of textures (.npz) at {path}, got another file; make it anew")
            archive = dict(archive)
        data, offsets = archive["data"], archive["offsets"]
        count = len(offsets) - 1 if limit is None else min(limit, len(offsets) - 1)
        names = archive["categories"].tolist() if "categories" in archive else ["photo"] * count
        images = [cv2.imdecode(data[offsets[i] : offsets[i + 1]], cv2.IMREAD_COLOR)[:, :, ::-1] for i in range(count)]
        return cls(images, names[:count], device)

    @classmethod
    def procedural(cls, count: int = 120, seed: int = 0, device: torch.device | str = "cpu") -> TextureBank:
        """Textures computed from a seed: no photograph and no licence involved."""
        from .procedural import make_textures

        return cls(*make_textures(count, seed), device)

    def of(self, *categories: str) -> torch.Tensor:
        """Texture ids (float [n]) of some categories; of the whole bank if it has none of them."""
        ids = [i for i, name in enumerate(self.categories) if name in categories] or list(range(self.count))
        return torch.tensor(ids, dtype=torch.float32)

    def pick(self, draw: Draw, categories: Sequence[str], *shape: int) -> torch.Tensor:
        """Random texture ids (float [*shape]) among some categories."""
        ids = self.of(*categories).to(draw.device)
        return ids[draw.index(len(ids), *shape).long()]


def _pyramid(image: np.ndarray) -> np.ndarray:
    """uint8 [512, 512, 3] -> [S, 3], the mip levels one after another."""
    if image.shape != (SIZE, SIZE, 3) or image.dtype != np.uint8:
        raise ValueError(
            f"expected uint8 [{SIZE}, {SIZE}, 3] textures, got {image.dtype} {list(image.shape)}; resize them"
        )
    levels = [np.ascontiguousarray(image)]
    while levels[-1].shape[0] > 1:
        side = levels[-1].shape[0] // 2
        levels.append(cv2.resize(levels[-1], (side, side), interpolation=cv2.INTER_AREA))
    return np.concatenate([level.reshape(-1, 3) for level in levels])


def mirror(x: torch.Tensor, window: torch.Tensor | float) -> torch.Tensor:
    """Mirrored repeat of texel coordinates x into 0..window."""
    return window - (torch.remainder(x, 2 * window) - window).abs()


def sample_texture(
    texels: torch.Tensor,
    level_start: torch.Tensor,
    stride: int,
    tex_id: torch.Tensor,
    u: torch.Tensor,
    v: torch.Tensor,
    level: torch.Tensor,
) -> torch.Tensor:
    """Bilinear lookup in one whole mip level.

    tex_id, level: [...]; u, v: [...] texels of level 0 -> rgb float [..., 3] in 0..1.
    """
    level = level.clamp(0, LEVELS - 1).long()
    side = SIZE >> level
    scale = torch.exp2(-level.float())
    x, y = u * scale - 0.5, v * scale - 0.5
    x0, y0 = x.floor(), y.floor()
    fx, fy = (x - x0).unsqueeze(-1), (y - y0).unsqueeze(-1)
    base = tex_id.long() * stride + level_start[level]

    def texel(xi: torch.Tensor, yi: torch.Tensor) -> torch.Tensor:
        xi = torch.minimum(xi.long().clamp(min=0), side - 1)
        yi = torch.minimum(yi.long().clamp(min=0), side - 1)
        packed = texels[base + yi * side + xi]
        return torch.stack((packed & 255, packed >> 8 & 255, packed >> 16 & 255), -1).float() / 255

    top = texel(x0, y0) * (1 - fx) + texel(x0 + 1, y0) * fx
    bottom = texel(x0, y0 + 1) * (1 - fx) + texel(x0 + 1, y0 + 1) * fx
    return top * (1 - fy) + bottom * fy
