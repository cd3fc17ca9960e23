# SPDX-License-Identifier: Apache-2.0
"""Networks and their data: train, render, label, predict, evaluate."""

from __future__ import annotations

from depth_runtime.command_line import Command, Program

COMMANDS = {
    "train": Command("depth_training.commands.train", "train a stereo network by a recipe (TOML)"),
    "render": Command("depth_training.commands.render", "render labelled stereo pairs of the procedural world"),
    "textures": Command("depth_training.commands.textures", "make an archive of free textures from Debian packages"),
    "pack-textures": Command(
        "depth_training.commands.pack_textures", "make an archive of textures from photos of one's own"
    ),
    "sample": Command("depth_training.commands.sample", "render the sequence of the sample bag"),
    "sam-masks": Command(
        "depth_training.commands.sam_masks", "region images of left views by Segment Anything or MobileSAM"
    ),
    "pseudo-labels": Command(
        "depth_training.commands.pseudo_labels", "label pairs without truth by what stereo methods agree on"
    ),
    "average": Command("depth_training.commands.average", "the mean of several trainings of one network"),
    "predict": Command(
        "depth_training.commands.predict", "disparity images of a pair or a folder, by a checkpoint or a zoo network"
    ),
    "analyse-matching": Command(
        "depth_training.commands.analyse_matching", "compare photometric and deep-feature matching on a pair"
    ),
    "evaluate": Command(
        "depth_training.commands.evaluate", "score exported networks and OpenCV on pairs with true disparity"
    ),
}
PROGRAM = Program("depth_training", "depth-stack", __doc__, COMMANDS)
main = PROGRAM.main
