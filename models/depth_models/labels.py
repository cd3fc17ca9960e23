# SPDX-License-Identifier: Apache-2.0
"""Semantic classes of the default networks: id, name, colour, thing or stuff."""

from __future__ import annotations

from depth_runtime.spec import Label

ROAD, SIDEWALK, BUILDING, POLE, VEGETATION, VEHICLE, PERSON, SKY, OBJECT = range(9)

LABELS: tuple[Label, ...] = (
    Label(0, "road", (128, 64, 128)),
    Label(1, "sidewalk", (244, 35, 232)),
    Label(2, "building", (110, 110, 110)),
    Label(3, "pole", (220, 220, 0)),
    Label(4, "vegetation", (60, 150, 40)),
    Label(5, "vehicle", (0, 60, 220), thing=True),
    Label(6, "person", (220, 20, 60), thing=True),
    Label(7, "sky", (135, 206, 235)),
    Label(8, "object", (255, 140, 0), thing=True),
)
