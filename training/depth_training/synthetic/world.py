# SPDX-License-Identifier: Apache-2.0
"""StereoWorld: an endless source of labelled stereo batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import torch

from .draw import Draw
from .dress import dress
from .drive import drive
from .flying import flying
from .generator import SceneGenerator
from .indoor import indoor
from .photometric import augment
from .render import Renderer, StereoSample
from .scene import Scene
from .studio import studio
from .textures import TextureBank

SCENE_KINDS: dict[str, Callable[[SceneGenerator, int], Scene]] = {
    "drive": drive,
    "indoor": indoor,
    "studio": studio,
    "flying": flying,
}
CPU_TILE = 64  # px; small enough for the caches, large enough to hide the cost of calling torch
DEFAULT_MIX = {"drive": 0.42, "indoor": 0.20, "studio": 0.14, "flying": 0.24}


class StereoWorld:
    """Random scenes of several kinds, rendered on the device of the textures.

    Scenes are drawn on the CPU, thousands of tiny operations, while a GPU is busy with earlier work; so a seed gives
    the same scenes everywhere, and on a GPU other camera noise than on a CPU.

    suitable: probability that a primitive's texture matches its label; the rest is random (domain
    randomisation). seed: None takes torch's global random state. compiled: None means "on a GPU".
    """

    def __init__(
        self,
        bank: TextureBank,
        height: int,
        width: int,
        seed: int | None = None,
        suitable: float = 0.4,
        compiled: bool | None = None,
    ):
        self.bank, self.suitable, self.device = bank, suitable, bank.texels.device
        on_cpu, on_gpu = self.device.type == "cpu", self.device.type == "cuda"
        self.draw = Draw() if seed is None else Draw.seeded(seed)
        self._camera_draw = self.draw if on_cpu else Draw(self.device, _generator(seed, self.device))
        self.generator = SceneGenerator(bank, height, width, self.draw)
        compiled = on_gpu if compiled is None else compiled
        self.renderer = Renderer(bank, height, width, compiled=compiled, tile=CPU_TILE if on_cpu else None)

    def reseed(self, seed: int) -> None:
        """Start the random numbers again. Raises ValueError for a world without a seed of its own."""
        for draw in (self.draw, self._camera_draw):
            if draw.generator is None:
                raise ValueError("expected a world with a seed, got one on torch's global random numbers; pass a seed")
            draw.generator.manual_seed(seed)

    def scenes(self, size: int, mix: Mapping[str, float] = DEFAULT_MIX) -> Scene:
        """`size` scenes, split over the kinds by their fractions in `mix`, in that order along the batch.

        Raises ValueError for an unknown kind or fractions that do not add up to something positive.
        """
        unknown = sorted(set(mix) - set(SCENE_KINDS))
        if unknown or not sum(mix.values()) > 0:
            raise ValueError(
                f"expected fractions > 0 of scene kinds among {sorted(SCENE_KINDS)}, got {dict(mix)}; correct the mix"
            )
        ends, total, so_far = [0], sum(mix.values()), 0.0
        for value in mix.values():
            so_far += value
            ends.append(round(size * so_far / total))
        counts = [stop - start for start, stop in pairwise(ends)]
        scene = Scene.cat([SCENE_KINDS[name](self.generator, n) for name, n in zip(mix, counts, strict=True) if n > 0])
        dress(scene, self.bank, self.draw, self.suitable)
        return scene.to(self.device)

    def batch(self, size: int, mix: Mapping[str, float] = DEFAULT_MIX, augmented: bool = True) -> StereoSample:
        """A rendered batch, by default with photometric randomisation (see photometric.augment)."""
        sample = self.renderer.render(self.scenes(size, mix))
        if augmented:
            sample.left, sample.right = augment(sample.left, sample.right, self._camera_draw)
        return sample


def _generator(seed: int | None, device: torch.device) -> torch.Generator | None:
    """A generator on `device`; none without a seed, nor where a device that only knows shapes has none."""
    return None if seed is None or device.type == "meta" else torch.Generator(device).manual_seed(seed)
