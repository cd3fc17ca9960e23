# SPDX-License-Identifier: Apache-2.0
"""The spec of a hand-made network for tests of what writes and changes contract files."""

from depth_runtime.spec import ModelSpec

TINY_SPEC = ModelSpec(
    name="tiny",
    version="3",
    task="stereo",
    size_multiple=32,
    default_size=(64, 96),
    outputs={"disparity": 1},
    max_disparity=64.0,
    training={"recipe": "none"},
)
