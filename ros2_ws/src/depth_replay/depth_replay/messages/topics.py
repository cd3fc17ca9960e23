# SPDX-License-Identifier: Apache-2.0
"""Topic names of the stereo interface, in one place, as bags store them (absolute)."""

from __future__ import annotations

LEFT_IMAGE = "/left/image_rect"
RIGHT_IMAGE = "/right/image_rect"
LEFT_INFO = "/left/camera_info"
RIGHT_INFO = "/right/camera_info"
INPUTS = (LEFT_INFO, RIGHT_INFO, LEFT_IMAGE, RIGHT_IMAGE)

DISPARITY = "/disparity"
DEPTH = "/depth/image_rect"
DEPTH_INFO = "/depth/camera_info"
CONFIDENCE = "/confidence"
SEMANTIC = "/panoptic/semantic"
INSTANCE = "/panoptic/instance"
PANOPTIC_COLOR = "/panoptic/image_color"
DISPARITY_COLOR = "/disparity/image_color"
LABELS = "/panoptic/labels"
POINTS = "/points"
DIAGNOSTICS = "/diagnostics"
STAGES = "/stereo_node/debug/stages"
OUTPUTS = (
    DISPARITY,
    DEPTH,
    DEPTH_INFO,
    CONFIDENCE,
    SEMANTIC,
    INSTANCE,
    PANOPTIC_COLOR,
    DISPARITY_COLOR,
    LABELS,
    DIAGNOSTICS,
    STAGES,
)

TRUTH_PREFIX = "/ground_truth/"
TRUTH_DISPARITY = "/ground_truth/disparity"
TRUTH_SEMANTIC = "/ground_truth/semantic"
TRUTH_INSTANCE = "/ground_truth/instance"
TRUTH_LABELS = "/ground_truth/labels"

_COMPRESSED = "/compressed"


def compressed(topic: str) -> str:
    """Name under which image_transport publishes the compressed form of an image topic."""
    return topic + _COMPRESSED


def base(topic: str) -> str:
    """The image topic that a compressed topic belongs to; other topics as they are."""
    return topic.removesuffix(_COMPRESSED)


def absolute(topic: str) -> str:
    """A topic name with its leading slash."""
    return topic if topic.startswith("/") else "/" + topic


def renamed(topic: str, remaps: dict[str, str]) -> str:
    """A topic under remaps; a remap of an image topic holds for its compressed form as well."""
    if topic in remaps:
        return remaps[topic]
    image = base(topic)
    return remaps[image] + topic[len(image) :] if image in remaps else topic
