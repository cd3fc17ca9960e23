# SPDX-License-Identifier: Apache-2.0
"""Classes of other sets as ids of depth_models.LABELS; what has no counterpart is unlabelled (255)."""

from __future__ import annotations

import numpy as np
from depth_models.labels import BUILDING, LABELS, PERSON, POLE, ROAD, SIDEWALK, SKY, VEGETATION, VEHICLE
from depth_runtime.spec import UNLABELLED

# Ids 0..11: sky, building, pole, road, pavement, tree, sign, fence, car, pedestrian, cyclist, unlabelled.
CAMVID = (SKY, BUILDING, POLE, ROAD, SIDEWALK, VEGETATION, POLE, POLE, VEHICLE, PERSON, PERSON, UNLABELLED)

_NONE = UNLABELLED
# labelIds 0..33 of the official list. Static and dynamic things (4, 5) have no instances, which our class of
# objects needs, so they stay unlabelled.
CITYSCAPES = (
    *(_NONE, _NONE, _NONE, _NONE, _NONE, _NONE),  # unlabeled, ego, rectification, out of roi, static, dynamic
    *(SIDEWALK, ROAD, SIDEWALK, ROAD, ROAD),  # ground, road, sidewalk, parking, rail track
    *(BUILDING, BUILDING, POLE, POLE, BUILDING, BUILDING),  # building, wall, fence, guard rail, bridge, tunnel
    *(POLE, POLE, POLE, POLE, VEGETATION, SIDEWALK, SKY),  # pole, polegroup, light, sign, vegetation, terrain, sky
    *(PERSON, PERSON),  # person, rider
    *(VEHICLE,) * 8,  # car, truck, bus, caravan, trailer, train, motorcycle, bicycle
)

# Colours of Virtual KITTI 2's classSegmentation. Its "misc" (80, 80, 80) stays unlabelled, as above.
VIRTUAL_KITTI = {
    (210, 0, 200): SIDEWALK,  # terrain
    (90, 200, 255): SKY,
    (0, 199, 0): VEGETATION,  # tree
    (90, 240, 0): VEGETATION,
    (140, 140, 140): BUILDING,
    (100, 60, 100): ROAD,
    (250, 100, 255): POLE,  # guard rail
    (255, 255, 0): POLE,  # traffic sign
    (200, 200, 0): POLE,  # traffic light
    (255, 130, 0): POLE,
    (160, 60, 60): VEHICLE,  # truck
    (255, 127, 80): VEHICLE,  # car
    (0, 139, 139): VEHICLE,  # van
}


IS_THING = np.isin(np.arange(256), [label.id for label in LABELS if label.thing])  # bool [256] by our id


def by_id(ids: np.ndarray, own: tuple[int, ...]) -> np.ndarray:
    """uint8 [H, W] ids of another set as ours; ids beyond its list become 255."""
    table = np.full(256, UNLABELLED, np.uint8)
    table[: len(own)] = own
    return table[ids]


def by_colour(rgb: np.ndarray, own: dict[tuple[int, int, int], int]) -> np.ndarray:
    """uint8 [H, W, 3] RGB class colours as our ids uint8 [H, W]; other colours become 255."""
    packed = rgb.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    semantic = np.full(packed.shape, UNLABELLED, np.uint8)
    for (red, green, blue), label in own.items():
        semantic[packed == (red << 16 | green << 8 | blue)] = label
    return semantic
