# SPDX-License-Identifier: Apache-2.0
"""Renders stereo pairs with exact disparity, occlusion, semantic and instance maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from depth_models.labels import SKY
from depth_runtime.spec import UNLABELLED
from torch.nn import functional

from .scene import FAR, REFLECT, SHADOW, Scene
from .shade import shade
from .textures import TextureBank
from .trace import CullingTracer, Tracer


@dataclass
class StereoSample:
    """A labelled batch of stereo pairs.

    left, right: float [B, 3, H, W] RGB 0..255; disparity: float [B, 1, H, W] px of the left view, 0 = sky;
    occluded: bool [B, 1, H, W], True where the right camera does not see the left view's surface;
    semantic: int64 [B, H, W] label ids, 255 unlabelled; instance: int64 [B, H, W], 0 = stuff;
    focal_px, baseline_m: float [B] of the cameras, whose pixels are square and whose middles agree.
    """

    left: torch.Tensor
    right: torch.Tensor
    disparity: torch.Tensor
    occluded: torch.Tensor
    semantic: torch.Tensor
    instance: torch.Tensor
    focal_px: torch.Tensor
    baseline_m: torch.Tensor


class Renderer:
    """Renders scene batches at height x width with `samples` x `samples` rays per pixel.

    tile: None traces a whole batch at once (GPU); a number of pixels traces square tiles of one scene at a
    time and skips the primitives that a tile cannot meet (CPU).
    """

    def __init__(
        self,
        bank: TextureBank,
        height: int,
        width: int,
        samples: int = 2,
        compiled: bool = False,
        tile: int | None = None,
    ):
        self.bank, self.height, self.width, self.samples, self.tile = bank, height, width, samples, tile
        self.tracer = Tracer(compiled) if tile is None else CullingTracer(compiled)
        self._shade = torch.compile(shade, dynamic=False) if compiled else shade

    def directions(self, scene: Scene, step: int) -> torch.Tensor:
        """World directions [B, H*step, W*step, 3] of step x step rays per pixel; t along them is the depth."""
        device = scene.focal.device
        ys = (torch.arange(self.height * step, device=device) + 0.5) / step - self.height / 2
        xs = (torch.arange(self.width * step, device=device) + 0.5) / step - self.width / 2
        y, x = torch.meshgrid(ys, xs, indexing="ij")
        rays = torch.stack((x, y, torch.zeros_like(x)), -1)[None] / scene.focal.view(-1, 1, 1, 1)
        rays[..., 2] = 1
        return (rays.flatten(1, 2) @ scene.pose.transpose(-1, -2)).view_as(rays)

    def eyes(self, scene: Scene, camera: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Left and right camera centres [B, 1, 3]; camera: [B, 3] left centre, None = origin."""
        left = torch.zeros_like(scene.pose[:, :1]) if camera is None else camera[:, None]
        return left, left + (scene.pose[:, :, 0] * scene.baseline[:, None])[:, None]

    def _tiles(self, step: int) -> Iterator[tuple[slice, slice]]:
        """Row and column slices of the ray grid that are traced together."""
        size = self.tile or max(self.height, self.width)
        for y in range(0, self.height, size):
            for x in range(0, self.width, size):
                yield (
                    slice(y * step, min(y + size, self.height) * step),
                    slice(x * step, min(x + size, self.width) * step),
                )

    def _each_scene(self, scene: Scene) -> list[slice]:
        """Scenes that are traced together: all of them, or one by one when culling."""
        count = scene.focal.shape[0]
        return [slice(0, count)] if self.tile is None else [slice(i, i + 1) for i in range(count)]

    def _colour(self, scene: Scene, origin: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
        """rgb [B, N, 3] in 0..1 of rays [B, N, 3] from origin [B, 1, 3]."""
        t, index = self.tracer.nearest(scene, origin, direction)
        shadows = mirrors = True
        # Looking whether something is needed stops a GPU and pays on a CPU, where tiles are small.
        if self.tile is not None:
            shadows = bool((scene.light[:, SHADOW] > 0).any())
            mirrors = bool((t >= FAR).any() or (scene.colour[..., REFLECT].gather(1, index) > 0).any())
        shadow = torch.zeros_like(t)
        if shadows:
            away = origin + direction * (t * 0.9995 - 1e-3)[..., None]
            shadow = self.tracer.blocked(scene, away, scene.sun[:, None], FAR / 2).float()
        return self._shade(self.bank, scene, origin, direction, t, index, shadow, mirrors)

    @torch.no_grad()
    def view(self, scene: Scene, eye: torch.Tensor) -> torch.Tensor:
        """Colour image [B, 3, H, W] in 0..255 seen from eye [B, 1, 3]."""
        direction = self.directions(scene, self.samples)
        image = torch.empty_like(direction)
        for one in self._each_scene(scene):
            part = scene.batch(one)
            for rows, columns in self._tiles(self.samples):
                rays = direction[one, rows, columns]
                image[one, rows, columns] = self._colour(part, eye[one], rays.flatten(1, 2)).view_as(rays)
        return functional.avg_pool2d(image.permute(0, 3, 1, 2), self.samples) * 255

    @torch.no_grad()
    def labels(self, scene: Scene, camera: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
        """Disparity, occluded, semantic, instance of the pixel centres; see StereoSample."""
        left_eye, right_eye = self.eyes(scene, camera)
        direction = self.directions(scene, 1)
        depth, index = direction.new_empty(direction.shape[:3]), torch.zeros_like(direction[..., 0], dtype=torch.long)
        hidden = torch.zeros_like(index, dtype=torch.bool)
        for one in self._each_scene(scene):
            part = scene.batch(one)
            for rows, columns in self._tiles(1):
                rays = direction[one, rows, columns].flatten(1, 2)
                t, slot = self.tracer.nearest(part, left_eye[one], rays)
                back = left_eye[one] + rays * t.clamp(max=2e3)[..., None] - right_eye[one]
                seen = self.tracer.blocked(part, right_eye[one], back, 0.998)
                for target, value in ((depth, t), (index, slot), (hidden, seen)):
                    target[one, rows, columns] = value.view_as(target[one, rows, columns])
        return self._label_maps(scene, depth, index, hidden)

    def _label_maps(
        self, scene: Scene, depth: torch.Tensor, index: torch.Tensor, hidden: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Label maps of depth (m), slot and right-camera block maps, [B, H, W] each."""
        sky = depth >= FAR
        disparity = torch.where(sky, 0.0, (scene.focal * scene.baseline).view(-1, 1, 1) / depth)
        outside = torch.arange(self.width, device=depth.device) - disparity < 0
        look_up = lambda table: table.gather(1, index.flatten(1)).view_as(index)  # noqa: E731
        # Domain-randomised scenes carry no meaning at all, the sky included.
        sky_label = torch.where((scene.semantic[:, :1] == UNLABELLED), UNLABELLED, SKY)
        semantic = torch.where(sky, sky_label[..., None], look_up(scene.semantic))
        instance = torch.where(sky, 0, look_up(scene.instance))
        return disparity[:, None], (hidden | outside)[:, None], semantic, instance

    def render(self, scene: Scene, camera: torch.Tensor | None = None) -> StereoSample:
        """Stereo pairs and labels of a scene batch; camera: left camera [B, 3] m, None = world origin."""
        left_eye, right_eye = self.eyes(scene, camera)
        labels = self.labels(scene, camera)
        views = self.view(scene, left_eye), self.view(scene, right_eye)
        return StereoSample(*views, *labels, scene.focal, scene.baseline)

    def sequence(
        self, scene: Scene, positions: torch.Tensor, rotations: torch.Tensor, seconds: torch.Tensor
    ) -> Iterator[StereoSample]:
        """Yield render() of the same scenes along an exact left-camera path.

        positions [T, B, 3] m; rotations [T, B, 3, 3] camera -> world; seconds [T].
        """
        for position, rotation, second in zip(positions, rotations, seconds, strict=True):
            yield self.render(scene.moved(second, rotation), position)
