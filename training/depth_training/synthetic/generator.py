# SPDX-License-Identifier: Apache-2.0
"""Tools that all kinds of scenes share: an empty scene, placing primitives, tinting, scattering."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from depth_models.labels import LABELS, OBJECT
from torch.nn import functional

from .draw import Draw
from .rotations import pitch_matrix, random_rotation, roll_matrix, yaw_matrix
from .scene import BULGE, CONTRAST, GAIN, TEX_DENSITY, Counts, Scene
from .textures import SIZE, TextureBank

COUNTS = Counts(box=25, prism=12, ellipsoid=20, cylinder=16, card=24)  # of the random scenes
THINGS = tuple(label.id for label in LABELS if label.thing)
NEVER = 9.0  # a rim or threshold that no card coordinate reaches: rectangle, no holes
Triple = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class SceneGenerator:
    """Scenes for images of height x width textured from `bank`; all chance comes from `draw`."""

    def __init__(self, bank: TextureBank, height: int, width: int, draw: Draw):
        self.bank, self.height, self.width, self.draw, self.device = bank, height, width, draw, draw.device

    def slots(self, shape: str, start: int = 0, stop: int | None = None) -> list[int]:
        """Slot numbers start..stop-1 among the primitives of one shape."""
        return list(range(sum(COUNTS))[COUNTS.slices()[shape]])[start:stop]

    def blank(self, b: int) -> Scene:
        """b scenes of invisible primitives (tiny, far behind the camera) with random looks and light."""
        p, draw = sum(COUNTS), self.draw
        center = torch.zeros(b, p, 3, device=self.device)
        center[..., 2] = -1e3
        half = torch.full((b, p, 3), 1e-3, device=self.device)
        one = torch.ones(b, device=self.device)
        pose = pitch_matrix(draw.uniform(-0.06, 0.06, b)) @ roll_matrix(draw.uniform(-0.03, 0.03, b))
        sun, light, sky = self._lights(b)
        return Scene(
            counts=COUNTS,
            center=center,
            rotation=torch.eye(3, device=self.device).expand(b, p, 3, 3).clone(),
            half=half,
            velocity=torch.zeros_like(center),
            swing=torch.zeros(b, p, 4, device=self.device),
            form=self._forms(b),
            texture=self._textures(b),
            colour=self._colours(b),
            semantic=torch.full((b, p), OBJECT, device=self.device),
            instance=torch.arange(1, p + 1, device=self.device).expand(b, p).clone(),
            focal=one,
            baseline=one.clone(),
            pose=pose,
            sun=sun,
            light=light,
            sky=sky,
        )

    def _lights(self, b: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Rows of Scene.sun, Scene.light and Scene.sky."""
        draw = self.draw
        toward = (draw.uniform(-1, 1, b), -draw.uniform(0.3, 1.5, b), draw.uniform(-1, 0.6, b))
        shadow, specular = draw.uniform(0, 1, b) * draw.chance(0.7, b), draw.uniform(0, 0.5, b) * draw.chance(0.4, b)
        light = torch.stack((draw.uniform(0.35, 0.75, b), shadow, specular, torch.zeros_like(shadow)), -1)
        picture = (self.bank.pick(draw, ("sky", "photo"), b, 1), draw.log_uniform(40, 250, b, 1))
        colour = (draw.uniform(0.3, 1, b, 1), draw.uniform(0.6, 1.1, b, 3), torch.zeros(b, 3, device=self.device))
        mirrors = (draw.uniform(0, 1.5, b, 1), draw.uniform(0, 0.8, b, 1), draw.uniform(0, 0.7, b, 1))
        return (
            functional.normalize(torch.stack(toward, -1), dim=-1),
            light,
            torch.cat((*picture, *colour, *mirrors), -1),
        )

    def _forms(self, b: int) -> torch.Tensor:
        """Random silhouettes and holes of cards, random tapers of prisms."""
        p, draw, groups = sum(COUNTS), self.draw, COUNTS.slices()
        threshold = torch.where(draw.chance(0.25, b, p, 1), draw.uniform(-0.3, 0.6, b, p, 1), NEVER)
        rim = torch.where(draw.chance(0.45, b, p, 1), NEVER, draw.uniform(0.55, 0.9, b, p, 1))
        waves = 0.13 * draw.normal(b, p, 6)
        form = torch.cat((rim, waves, draw.uniform(0.5, 4, b, p, 2), draw.uniform(0, 1, b, p, 2), threshold), -1)
        form[:, groups["prism"], :3] = draw.uniform(0, 1, b, COUNTS.prism, 3)
        form[:, : groups["prism"].stop, BULGE] = 0.0
        return form

    def _textures(self, b: int) -> torch.Tensor:
        p, draw, count = sum(COUNTS), self.draw, self.bank.count
        repetitive = draw.chance(0.15, b, p)
        window = torch.where(repetitive, draw.log_uniform(16, 128, b, p), draw.uniform(SIZE / 2, SIZE, b, p))
        columns = (
            *(draw.index(count, b, p), draw.log_uniform(20, 600, b, p)),
            *(draw.uniform(0, 1000, b, p), draw.uniform(0, 1000, b, p), window),
            *(draw.index(count, b, p), draw.uniform(3, 9, b, p), draw.uniform(0, 0.7, b, p) * draw.chance(0.6, b, p)),
        )
        return torch.stack(columns, -1)

    def _colours(self, b: int) -> torch.Tensor:
        """Gains with some very dark ones, some nearly plain surfaces, some mirrors."""
        p, draw = sum(COUNTS), self.draw
        contrast = torch.where(draw.chance(0.12, b, p), draw.uniform(0, 0.12, b, p), draw.uniform(0.4, 1.2, b, p))
        dark = draw.chance(0.15, b, p)
        brightness = torch.where(dark, draw.uniform(0.1, 0.4, b, p), draw.uniform(0.7, 1.5, b, p))
        gain = brightness[..., None] * draw.uniform(0.75, 1.25, b, p, 3)
        reflect = draw.uniform(0.1, 0.6, b, p) * draw.chance(0.1, b, p)
        return torch.cat((gain, draw.uniform(-0.05, 0.05, b, p, 3), contrast[..., None], reflect[..., None]), -1)

    @staticmethod
    def put(
        scene: Scene,
        slots: Sequence[int],
        center: Triple,
        half: Triple,
        semantic: int,
        rotation: torch.Tensor | None = None,
        instance: Sequence[int] | None = None,
        present: torch.Tensor | None = None,
    ) -> None:
        """Place primitives in n slots.

        center, half: x, y, z as [B, n] each; rotation [B, n, 3, 3]; present bool [B, n]; instance: the slots
        whose instance ids these share (parts of one thing).
        """
        center_m, half_m = (torch.stack(torch.broadcast_tensors(*v), -1) for v in (center, half))
        if present is not None:
            center_m = torch.where(present[..., None], center_m, scene.center[:, slots])
        scene.center[:, slots], scene.half[:, slots], scene.semantic[:, slots] = center_m, half_m, semantic
        if rotation is not None:
            scene.rotation[:, slots] = rotation
        own = scene.instance[:, slots if instance is None else instance]
        scene.instance[:, slots] = own if semantic in THINGS else torch.zeros_like(scene.instance[:, slots])

    def tint(
        self,
        scene: Scene,
        slots: Sequence[int],
        rgb: tuple[float, float, float],
        spread: float,
        contrast: tuple[float, float] | None = None,
    ) -> None:
        """Pull the colour of some slots towards rgb, +- spread (relative)."""
        b, n = scene.center.shape[0], len(slots)
        base = torch.tensor(rgb, device=self.device) * self.draw.uniform(1 - spread, 1 + spread, b, n, 1)
        scene.colour[:, slots, GAIN] = base * self.draw.uniform(0.9, 1.1, b, n, 3)
        if contrast is not None:
            scene.colour[:, slots, CONTRAST] = self.draw.uniform(*contrast, b, n)

    def scatter(
        self,
        scene: Scene,
        slots: Sequence[int],
        z_range: tuple[torch.Tensor, torch.Tensor],
        size: tuple[float, float],
        upright: float,
        present: float | torch.Tensor,
    ) -> None:
        """Random objects inside the view frustum.

        z_range: near and far metres [B]; size: fraction of half the view width; upright: chance of no tilt;
        present: chance to be there, [B, 1] where it differs between scenes.
        Depth is drawn half log-uniform, half uniform in disparity.
        """
        b, n, draw = scene.center.shape[0], len(slots), self.draw
        z_near, z_far = (z[:, None] for z in z_range)
        q = draw.uniform(0, 1, b, n)
        inverse = 1 / (q / z_near + (1 - q) / z_far)
        depth = torch.where(draw.chance(0.5, b, n), z_near * (z_far / z_near) ** q, inverse)
        slope_x, slope_y = self.width / 2 / scene.focal[:, None], self.height / 2 / scene.focal[:, None]
        scale = depth[..., None] * slope_x[..., None] * draw.log_uniform(*size, b, n, 3)
        scale[..., 0] = torch.where(draw.chance(0.15, b, n), scale[..., 0] * 0.15, scale[..., 0])
        depth = depth + scale.amax(-1) * 0.5
        x, y = (depth * slope * draw.uniform(-1.1, 1.1, b, n) for slope in (slope_x, slope_y))
        stand = draw.chance(upright, b, n)[..., None, None]
        rotation = torch.where(stand, yaw_matrix(draw.uniform(-1.5, 1.5, b, n)), random_rotation(draw, b, n))
        here = draw.chance(present, b, n)
        self.put(scene, slots, (x, y, depth), scale.unbind(-1), OBJECT, rotation, present=here)

    def scale_textures(self, scene: Scene, distance: torch.Tensor) -> None:
        """Choose texture densities so that detail shows at about `distance` [B] metres."""
        density = scene.focal / distance
        scene.texture[..., TEX_DENSITY] = density[:, None] * self.draw.log_uniform(0.25, 2.5, *scene.texture.shape[:2])
