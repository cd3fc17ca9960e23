# SPDX-License-Identifier: Apache-2.0
"""StereoPipeline: camera images in, maps at the published size out, with the time of each stage."""

from __future__ import annotations

from collections.abc import Collection

import cv2
import numpy as np

from .backends import Backend
from .color import to_rgb
from .instances import group_instances
from .plan import ImagePlan, Size, make_plan
from .results import PanopticMap, StereoResult
from .timing import StageTimer

# What a caller may ask for; disparity is always computed.
MAPS = ("confidence", "semantic", "instance")


class StereoPipeline:
    """Runs a stereo backend on camera images of any size; knows nothing of ROS.

    network_size: None = the camera's own resolution, else (height, width); output: "source" or "network",
    see `make_plan`. Raises ValueError when the backend's network is not a stereo network.
    """

    def __init__(self, backend: Backend, network_size: Size | None = None, output: str = "source") -> None:
        if backend.spec.task != "stereo":
            raise ValueError(
                f"expected a network for task 'stereo', got '{backend.spec.task}' in '{backend.spec.name}'; "
                "choose a stereo network from the zoo"
            )
        self.backend = backend
        self.network_size = network_size
        self.output = output
        self.confidence_threshold = 0.0
        self._things = np.zeros(256, bool)
        self._things[[label.id for label in backend.spec.labels if label.thing]] = True
        self._prepared: Size | None = None
        self._inputs: dict[str, np.ndarray] = {}

    def available(self, maps: Collection[str]) -> set[str]:
        """The maps among `maps` that this network can give."""
        needs = {
            "confidence": {"confidence"},
            "semantic": {"semantic"},
            "instance": {"semantic", "instance_center", "instance_offset"},
        }
        return {name for name in maps if needs[name] <= set(self.backend.spec.outputs)}

    def process(
        self,
        left: np.ndarray,
        right: np.ndarray,
        maps: Collection[str] = MAPS,
        encodings: tuple[str, str] = ("rgb8", "rgb8"),
        timer: StageTimer | None = None,
    ) -> StereoResult:
        """Maps of one rectified pair.

        left, right: [H, W] or [H, W, C] images in `encodings` (see color.ENCODINGS), of equal size; maps: what is
        wanted besides disparity, among MAPS. Raises ValueError for images that differ in size or break their encoding.
        """
        if left.shape[:2] != right.shape[:2]:
            raise ValueError(
                f"expected left and right of one size, got {left.shape[1]}x{left.shape[0]} left and "
                f"{right.shape[1]}x{right.shape[0]} right; check the drivers' settings"
            )
        timer = timer or StageTimer()
        plan = make_plan(left.shape[:2], self.backend.spec.size_multiple, self.network_size, self.output)
        self._prepare(plan.network)
        left, right = (to_rgb(image, encoding) for image, encoding in zip((left, right), encodings, strict=True))
        plan.apply(left, self._inputs["left"][0])
        plan.apply(right, self._inputs["right"][0])
        timer.mark("decode")
        maps = self.available(maps)
        outputs = self.backend.infer(self._outputs_for(maps))
        timer.mark("infer")
        result = self._undo(plan, outputs, maps)
        result.left_rgb = left
        timer.mark("undo")
        result.milliseconds = timer.milliseconds
        return result

    def _prepare(self, size: Size) -> None:
        if self._prepared != size:
            self._inputs = self.backend.prepare(size)
            self._prepared = size

    def _outputs_for(self, maps: set[str]) -> set[str]:
        outputs = {"disparity"}
        if "confidence" in maps or (self.confidence_threshold > 0 and self.available({"confidence"})):
            outputs.add("confidence")
        if maps & {"semantic", "instance"}:
            outputs.add("semantic")
        if "instance" in maps:
            outputs |= {"instance_center", "instance_offset"}
        return outputs

    def _undo(self, plan: ImagePlan, outputs: dict[str, np.ndarray], maps: set[str]) -> StereoResult:
        disparity_px = outputs["disparity"][0]
        np.minimum(disparity_px, np.float32(self.backend.spec.max_disparity), out=disparity_px)
        result = StereoResult(plan, plan.undo_disparity(disparity_px))
        if "confidence" in outputs:
            confidence = plan.undo(outputs["confidence"][0])
            result.confidence = confidence if "confidence" in maps else None
            if self.confidence_threshold > 0:
                unsure = confidence < np.float32(self.confidence_threshold)
                np.putmask(result.disparity_px, unsure, np.float32(np.nan))
                result.valid_ratio = 1 - cv2.countNonZero(unsure.view(np.uint8)) / unsure.size
        if "semantic" in outputs:
            semantic = outputs["semantic"][0]
            result.panoptic = PanopticMap(plan.undo(semantic, nearest=True))
            if "instance" in maps:
                result.panoptic.instance = self._instances(plan, outputs, semantic, result.panoptic.semantic)
        return result

    def _instances(
        self, plan: ImagePlan, outputs: dict[str, np.ndarray], semantic: np.ndarray, published: np.ndarray
    ) -> np.ndarray:
        """Grouped at the heads' own resolution, then brought to the published size and cut to its thing pixels."""
        heat = outputs["instance_center"][0]
        coarse = cv2.resize(semantic, heat.shape[::-1], interpolation=cv2.INTER_NEAREST)
        # One cell wider than the things: a cell at their rim may be stuff while some of its pixels are not.
        things = cv2.dilate(self._things[coarse].astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        coarse_ids = group_instances(heat, outputs["instance_offset"][0], things)
        instances = plan.undo(coarse_ids, nearest=True)
        return np.where(self._things[published], instances, np.uint16(0))
