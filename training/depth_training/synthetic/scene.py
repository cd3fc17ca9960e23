# SPDX-License-Identifier: Apache-2.0
"""The description of a batch of scenes: primitives, light, cameras, and how they move.

Axes: x right, y down, z forward (optical frame), metres. The world frame is the left camera at time 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import torch

from .rotations import pitch_matrix

FAR = 1e6  # depth in metres of "nothing was hit"


class Counts(NamedTuple):
    """Primitives per scene by shape; slots are ordered like these fields."""

    box: int
    prism: int
    ellipsoid: int
    cylinder: int
    card: int

    def slices(self) -> dict[str, slice]:
        """The slots of each shape."""
        start, result = 0, {}
        for name, count in zip(self._fields, self, strict=True):
            result[name] = slice(start, start + count)
            start += count
        return result


# Columns of Scene.texture.
TEX_ID, TEX_DENSITY, TEX_U, TEX_V, TEX_WINDOW, DETAIL_ID, DETAIL_ZOOM, DETAIL_GAIN = range(8)
# Columns of Scene.colour: gain and bias take three columns each.
GAIN, BIAS, CONTRAST, REFLECT = slice(0, 3), slice(3, 6), 6, 7
# Columns of Scene.light and Scene.sky.
AMBIENT, SHADOW, SPECULAR, HAZE = range(4)
SKY_ID, SKY_SCALE, SKY_CONTRAST, SKY_GAIN, SKY_BIAS = 0, 1, 2, slice(3, 6), slice(6, 9)
# What mirrors show besides the sky: more contrast, a darker ground, more of it at grazing angles; 0 for none.
MIRROR_CONTRAST, MIRROR_GROUND, MIRROR_GRAZING, SKY_COLUMNS = 9, 10, 11, 12
# Columns of Scene.form. Cards: rim radius, three harmonics of two numbers, hole frequencies, phases, threshold.
RIM, HARMONICS, HOLE_FREQUENCY, HOLE_PHASE, HOLE_THRESHOLD = 0, slice(1, 7), slice(7, 9), slice(9, 11), 11
# Prisms: how far the top is drawn in from each x side, from the front (+z) and from the back, 0..1.
TAPER_SIDE, TAPER_FRONT, TAPER_BACK = range(3)
# Boxes and prisms: how much their faces are lit and mirror like bulging ones, 0 for flat.
BULGE = 3
# Columns of Scene.swing: amplitude (rad), frequency (rad/s), phase (rad), pivot above the centre (half heights).
SWING_ANGLE, SWING_RATE, SWING_PHASE, SWING_PIVOT = range(4)


@dataclass
class Scene:
    """B scenes of P primitives; every tensor's first axis is B.

    Boxes, prisms, ellipsoids and cylinders (axis = local y) fill [-half, half] of their own frame; cards are
    the rectangle of half[..., :2] in their local x-y plane, with a cut-out.
    """

    counts: Counts
    center: torch.Tensor  # [B, P, 3] m
    rotation: torch.Tensor  # [B, P, 3, 3] world -> local
    half: torch.Tensor  # [B, P, 3] m
    velocity: torch.Tensor  # [B, P, 3] m/s
    swing: torch.Tensor  # [B, P, 4], see SWING_*
    form: torch.Tensor  # [B, P, 12], see TAPER_* (prisms), BULGE and RIM ... (cards)
    texture: torch.Tensor  # [B, P, 8], see TEX_* and DETAIL_*; density in texels per metre
    colour: torch.Tensor  # [B, P, 8], see GAIN, BIAS, CONTRAST, REFLECT
    semantic: torch.Tensor  # [B, P] label id
    instance: torch.Tensor  # [B, P] instance id, 0 = stuff
    focal: torch.Tensor  # [B] px
    baseline: torch.Tensor  # [B] m
    pose: torch.Tensor  # [B, 3, 3] camera -> world rotation of the stereo rig
    sun: torch.Tensor  # [B, 3] unit vector towards the light
    light: torch.Tensor  # [B, 4]: ambient fraction, shadow strength, specular, haze per metre
    sky: torch.Tensor  # [B, 12], see SKY_* and MIRROR_*

    @staticmethod
    def cat(scenes: list[Scene]) -> Scene:
        """One batch from scenes of equal counts."""
        if len({s.counts for s in scenes}) != 1:
            raise ValueError(
                f"expected scenes of equal counts, got {[s.counts for s in scenes]}; render them one by one"
            )
        names = [f.name for f in fields(Scene) if f.name != "counts"]
        return Scene(scenes[0].counts, *(torch.cat([getattr(s, name) for s in scenes]) for name in names))

    def moved(self, seconds: float | torch.Tensor, pose: torch.Tensor | None = None) -> Scene:
        """The same scenes after `seconds`: things advanced by velocity, limbs swung, rig at pose [B, 3, 3]."""
        angle = self.swing[..., SWING_ANGLE] * torch.sin(
            self.swing[..., SWING_RATE] * seconds + self.swing[..., SWING_PHASE]
        )
        rotation = pitch_matrix(angle) @ self.rotation
        # The pivot (in local axes above the centre) must stay where the unswung limb has it.
        pivot = torch.zeros_like(self.center)
        pivot[..., 1] = -self.swing[..., SWING_PIVOT] * self.half[..., 1]
        to_world = lambda r: (r.transpose(-1, -2) @ pivot.unsqueeze(-1)).squeeze(-1)  # noqa: E731
        center = self.center + self.velocity * seconds + to_world(self.rotation) - to_world(rotation)
        return replace(self, center=center, rotation=rotation, pose=self.pose if pose is None else pose)

    def only(self, slots: torch.Tensor) -> Scene:
        """The scenes reduced to some primitives; slots [n] ascending, the same for the whole batch."""
        counts = Counts(*(int(((slots >= s.start) & (slots < s.stop)).sum()) for s in self.counts.slices().values()))
        per_slot = (
            "center",
            "rotation",
            "half",
            "velocity",
            "swing",
            "form",
            "texture",
            "colour",
            "semantic",
            "instance",
        )
        return replace(self, counts=counts, **{name: getattr(self, name)[:, slots] for name in per_slot})

    def batch(self, scenes: slice) -> Scene:
        """Some scenes of the batch."""
        return self._each(lambda tensor: tensor[scenes])

    def to(self, device: torch.device) -> Scene:
        """The same scenes on a device; a GPU is not waited for."""
        if device.type != "cuda":
            return self._each(lambda tensor: tensor.to(device))
        return self._each(lambda tensor: tensor.pin_memory().to(device, non_blocking=True))

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Scene:
        names = [f.name for f in fields(Scene) if f.name != "counts"]
        return Scene(self.counts, *(change(getattr(self, name)) for name in names))
