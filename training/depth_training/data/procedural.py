# SPDX-License-Identifier: Apache-2.0
"""The procedural world behind the schema of recorded sets: pairs rendered when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from depth_runtime.camera import StereoCamera

from .registry import check_split, register
from .sample import Sample

if TYPE_CHECKING:
    import torch

    from ..synthetic import StereoWorld

COMPUTED = "computed"


@register("procedural")
class ProceduralWorld:
    """`count` pairs of random scenes; pair i depends on seed and i alone, and train and val share none.

    root: archive of `pack-textures`, or "computed" for `textures` computed ones. mix: fractions of the kinds of scenes.
    """

    def __init__(
        self,
        root: Path,
        split: str = "train",
        count: int = 1000,
        height: int = 384,
        width: int = 640,
        seed: int = 0,
        mix: Mapping[str, float] | None = None,
        augmented: bool = True,
        textures: int = 96,
    ) -> None:
        if root.name != COMPUTED and not root.is_file():
            raise ValueError(
                f"expected an archive of textures or '{COMPUTED}', got {root}; see `depth_training pack-textures`"
            )
        self._root, self._count, self._size = root, count, (height, width)
        self._seed = 2 * seed + ("train", "val").index(check_split(split, ("train", "val")))
        self._mix, self._augmented, self._textures = mix, augmented, textures
        self._world: StereoWorld | None = None  # made by the process that renders

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < self._count:
            raise IndexError(f"expected an index 0..{self._count - 1}, got {index}")
        import torch

        from ..synthetic import DEFAULT_MIX, augment

        world = self._world = self._world or self._make_world()
        # Torch's generator takes 32 bits of a seed, so both numbers are mixed into that many.
        world.reseed(int(np.random.SeedSequence([self._seed, index]).generate_state(1)[0]))
        mix = dict(self._mix or DEFAULT_MIX)
        kind = np.random.default_rng([self._seed, index]).choice(list(mix), p=_fractions(mix))
        with torch.inference_mode():
            scene = world.scenes(1, {str(kind): 1.0})
            pair = world.renderer.render(scene)
            if self._augmented:
                pair.left, pair.right = augment(pair.left, pair.right, world.draw)
        focal_px, middle = float(scene.focal[0]), tuple((side - 1) / 2 for side in self._size[::-1])
        return Sample(
            left=_image(pair.left),
            right=_image(pair.right),
            disparity_px=pair.disparity[0, 0].numpy().astype(np.float32),
            occluded=pair.occluded[0, 0].numpy(),
            semantic=pair.semantic[0].numpy().astype(np.uint8),
            instance=pair.instance[0].numpy().astype(np.uint16),
            camera=StereoCamera(focal_px, focal_px, middle[0], middle[0], middle[1], float(scene.baseline[0])),
            name=f"{kind}/{index:06d}",
        )

    def _make_world(self) -> StereoWorld:
        from ..synthetic import StereoWorld, TextureBank

        bank = TextureBank.load(self._root) if self._root.is_file() else TextureBank.procedural(self._textures)
        return StereoWorld(bank, *self._size, seed=0)


def _fractions(mix: Mapping[str, float]) -> np.ndarray:
    fractions = np.array(list(mix.values()), float)
    return fractions / fractions.sum()


def _image(image: torch.Tensor) -> np.ndarray:
    """float [1, 3, H, W] 0..255 -> uint8 [H, W, 3]."""
    return image[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
