# SPDX-License-Identifier: Apache-2.0
"""Render random labelled stereo pairs of the procedural world into a folder, one scene each.

OUT receives left/, right/, disparity/ (16-bit PNG, pixels x 256), semantic/ and instance/. Every scene has a camera of
its own, so there is no calibration.json. The same arguments render the same pairs.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from depth_runtime.command_line import path_argument, size_argument
from depth_runtime.files.sequence_folder import TrueFrame, write_frame
from tqdm import tqdm

from ..synthetic import StereoWorld, TextureBank
from ..synthetic.render import StereoSample
from ..synthetic.world import DEFAULT_MIX, SCENE_KINDS


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--out", type=path_argument, required=True, help="folder to write")
    parser.add_argument("--count", type=int, default=100, help="pairs")
    parser.add_argument("--size", type=size_argument, default="640x384", metavar="WIDTHxHEIGHT", help="of the views")
    parser.add_argument("--seed", type=int, default=0, help="the same seed renders the same pairs")
    parser.add_argument(
        "--textures", type=path_argument, help="archive of `textures` or `pack-textures` (default: computed textures)"
    )
    parser.add_argument("--computed-textures", type=int, default=96, metavar="N", help="how many, without an archive")
    parser.add_argument("--suitable", type=float, default=0.85, help="fraction of surfaces textured as their class")
    for name in SCENE_KINDS:
        parser.add_argument(f"--{name}", type=float, default=DEFAULT_MIX[name], help=f"fraction of {name} scenes")
    parser.add_argument("--plain", action="store_true", help="without photometric randomisation")


def run(arguments: argparse.Namespace) -> None:
    """Render and write."""
    if arguments.textures:
        bank = TextureBank.load(arguments.textures)
    else:
        bank = TextureBank.procedural(arguments.computed_textures, seed=arguments.seed)
    world = StereoWorld(bank, *arguments.size, arguments.seed, arguments.suitable)
    fractions = np.array([getattr(arguments, name) for name in SCENE_KINDS], float)
    kinds = np.random.default_rng(arguments.seed).choice(
        list(SCENE_KINDS), arguments.count, p=fractions / fractions.sum()
    )
    for index, kind in enumerate(tqdm(kinds, desc="scenes", unit="pair")):
        with torch.inference_mode():
            sample = world.batch(1, {str(kind): 1.0}, augmented=not arguments.plain)
        write_frame(arguments.out, index, _frame(sample))


def _frame(sample: StereoSample) -> TrueFrame:
    """The only pair of a batch; disparities that 16 bit cannot hold count as none."""
    left, right = (
        image[0].permute(1, 2, 0).round().clamp(0, 255).byte().cpu().numpy() for image in (sample.left, sample.right)
    )
    disparity_px = sample.disparity[0, 0].cpu().numpy()
    disparity_px = np.where(disparity_px < 255, disparity_px, 0)
    semantic, instance = sample.semantic[0].cpu().numpy(), sample.instance[0].cpu().numpy()
    return TrueFrame(left, right, disparity_px, semantic.astype(np.uint8), instance.astype(np.uint16))
