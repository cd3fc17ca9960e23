# SPDX-License-Identifier: Apache-2.0
"""Composes one scene part by part: things stand on the ground, parts are placed in a thing's own frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from ..generator import NEVER
from ..scene import FAR, SKY_COLUMNS, Counts, Scene
from ..textures import SIZE, TextureBank

Vector = tuple[float, float, float]
PLAIN_CARD = (NEVER, *(0.0,) * 10, NEVER)  # a full rectangle, see RIM ... in scene.py
EYE = np.eye(3)
LYING = np.array(((0.0, 1, 0), (1, 0, 0), (0, 0, -1)))  # world -> local: cylinder axis along x (wheels)
FLAT = np.array(((1.0, 0, 0), (0, 0, 1), (0, -1, 0)))  # card in the ground plane, its y along z


def turn(yaw_rad: float) -> np.ndarray:
    """World -> local rotation [3, 3] of a thing whose z axis, its heading, is (sin yaw, 0, cos yaw)."""
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    return np.array(((c, 0, -s), (0, 1, 0), (s, 0, c)))


@dataclass(frozen=True)
class Look:
    """Surface of a part: a texture by category, tinted and laid out.

    density: texels per metre; offset: texel (u, v) at the part's centre; detail: category of a second
    texture, `zoom` times as fine and added with gain `grit`.
    """

    category: str
    rgb: Vector = (1.0, 1.0, 1.0)
    density: float = 100.0
    offset: tuple[float, float] | None = None
    contrast: float = 1.0
    reflect: float = 0.0
    detail: str = "concrete"
    zoom: float = 4.0
    grit: float = 0.25
    texture: int | None = None  # index within the category; None draws one


@dataclass(frozen=True)
class Body:
    """A thing: its ground point, heading, motion, label and instance id (0 = stuff)."""

    label: int
    ground: Vector = (0.0, 0.0, 0.0)
    yaw_rad: float = 0.0
    velocity: Vector = (0.0, 0.0, 0.0)
    instance: int = 0


@dataclass
class SceneBuilder:
    """Collects parts; `build` packs them into a Scene of one. Chance comes from rng alone."""

    bank: TextureBank
    rng: np.random.Generator
    rows: dict[str, list[tuple]] = field(default_factory=lambda: {shape: [] for shape in Counts._fields})
    instances: int = 0

    def instance(self) -> int:
        """A new instance id."""
        self.instances += 1
        return self.instances

    def _texture(self, category: str, index: int | None = None) -> float:
        ids = self.bank.of(category)
        return float(ids[(self.rng.integers(len(ids)) if index is None else index) % len(ids)])

    def _look_rows(self, look: Look) -> tuple[list[float], list[float]]:
        """Rows of Scene.texture and Scene.colour."""
        u, v = self.rng.uniform(0, 1000, 2) if look.offset is None else look.offset
        detail = self._texture(look.detail)
        texture = [self._texture(look.category, look.texture), look.density, u, v, SIZE, detail, look.zoom, look.grit]
        return texture, [*look.rgb, 0.0, 0.0, 0.0, look.contrast, look.reflect]

    def part(
        self,
        body: Body,
        shape: str,
        offset: Vector,
        half: Vector,
        look: Look,
        tilt: np.ndarray = EYE,
        form: Sequence[float] = (),
        swing: Sequence[float] = (0.0, 0.0, 0.0, 0.0),
    ) -> None:
        """Add a primitive at `offset` (m, in the body's frame, from its ground point) with half sizes in m.

        tilt: rotation body frame -> primitive frame; form and swing: see Scene. Raises ValueError for an
        unknown shape.
        """
        if shape not in self.rows:
            raise ValueError(f"expected a shape among {sorted(self.rows)}, got '{shape}'; use one of them")
        rotation = turn(body.yaw_rad)
        center = np.asarray(body.ground) + rotation.T @ np.asarray(offset)
        form = list(form or (PLAIN_CARD if shape == "card" else ()))
        form += [0.0] * (12 - len(form))
        row = (
            center,
            tilt @ rotation,
            half,
            body.velocity,
            swing,
            form,
            *self._look_rows(look),
            body.label,
            body.instance,
        )
        self.rows[shape].append(row)

    def build(
        self, focal_px: float, baseline_m: float, sun: Vector, light: Sequence[float], sky: Sequence[float]
    ) -> Scene:
        """The scene; sun: direction towards the light; light and sky: rows of Scene (the sky without id, end)."""
        counts = Counts(**{shape: len(rows) for shape, rows in self.rows.items()})
        columns = zip(*(row for rows in self.rows.values() for row in rows), strict=True)
        tensors = [torch.tensor(np.asarray(column))[None] for column in columns]
        tensors = [t.float() if t.is_floating_point() else t.long() for t in tensors]
        one = lambda values: torch.tensor([values], dtype=torch.float32)  # noqa: E731
        toward = np.asarray(sun) / np.linalg.norm(sun)
        camera = (one(focal_px), one(baseline_m), torch.eye(3)[None], one(toward.tolist()), one(list(light)))
        scene = Scene(
            counts, *tensors, *camera, one([self._texture("sky"), *sky, *[0.0] * (SKY_COLUMNS - 1 - len(sky))])
        )
        assert float(scene.center.abs().max()) < FAR
        return scene
