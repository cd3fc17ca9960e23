# SPDX-License-Identifier: Apache-2.0
"""Which textures suit which label, so that a road can be asphalt and a tree leaves."""

from __future__ import annotations

import torch
from depth_models.labels import BUILDING, OBJECT, PERSON, POLE, ROAD, SIDEWALK, VEGETATION, VEHICLE

from .draw import Draw
from .scene import TEX_ID, Scene
from .textures import TextureBank

SUITABLE: dict[int, tuple[str, ...]] = {
    ROAD: ("asphalt", "concrete", "wood"),
    SIDEWALK: ("paving", "gravel", "grass", "concrete", "floor"),
    BUILDING: ("facade", "brick", "plaster", "concrete", "wall", "stone"),
    POLE: ("metal", "print"),
    VEGETATION: ("foliage", "grass"),
    VEHICLE: ("paint",),
    PERSON: ("fabric", "skin"),
    OBJECT: ("wood", "print", "metal", "fabric", "paint"),
}


def dress(scene: Scene, bank: TextureBank, draw: Draw, probability: float) -> None:
    """Give each primitive, with the given probability, a texture that suits its label; others keep theirs."""
    for label, categories in SUITABLE.items():
        ids = bank.pick(draw, categories, *scene.semantic.shape)
        suit = (scene.semantic == label) & draw.chance(probability, *scene.semantic.shape)
        scene.texture[..., TEX_ID] = torch.where(suit, ids, scene.texture[..., TEX_ID])
