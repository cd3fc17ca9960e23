# SPDX-License-Identifier: Apache-2.0
"""Procedural stereo world: batched ray-casting in torch with exact disparity, occlusion and panoptic labels."""

from .photometric import augment
from .render import Renderer, StereoSample
from .scene import Scene
from .textures import TextureBank
from .world import DEFAULT_MIX, SCENE_KINDS, StereoWorld

__all__ = ["DEFAULT_MIX", "SCENE_KINDS", "Renderer", "Scene", "StereoSample", "StereoWorld", "TextureBank", "augment"]
