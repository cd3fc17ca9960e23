# SPDX-License-Identifier: Apache-2.0
"""Pipelines: camera images in by name, maps at the published size out, with the time of each stage."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import cv2
import numpy as np

from .backends import Backend
from .color import bits_used, to_rgb
from .instances import group_instances
from .plan import ImagePlan, Size, make_plan
from .results import MonoResult, PanopticMap, Result, StereoResult
from .spec import MAIN_OUTPUT, TASKS
from .timing import StageTimer

# What a caller may ask for; disparity or depth is always computed.
MAPS = ("confidence", "semantic", "instance")
AnyResult = TypeVar("AnyResult", bound=Result)


class Pipeline(ABC, Generic[AnyResult]):
    """Runs a backend on camera images of any size; knows nothing of ROS.

    network_size: None = the camera's own resolution, else (height, width); output: "source" or "network", see
    `make_plan`; given: names of the images that the caller has (spec.INPUTS), None = those of every network of the
    task. Raises ValueError when the network is one of another task, or takes an image that is not given.
    """

    task: ClassVar[str]

    def __init__(
        self,
        backend: Backend,
        network_size: Size | None = None,
        output: str = "source",
        given: Collection[str] | None = None,
    ) -> None:
        if backend.spec.task != self.task:
            raise ValueError(
                f"expected a network for task '{self.task}', got '{backend.spec.task}' in '{backend.spec.name}'; "
                f"choose a {self.task} network from the zoo"
            )
        backend.spec.require_inputs(TASKS[self.task] if given is None else given)
        self.backend = backend
        self.network_size = network_size
        self.output = output
        self.confidence_threshold = 0.0
        self._things = np.zeros(256, bool)
        self._things[[label.id for label in backend.spec.labels if label.thing]] = True
        self._prepared: Size | None = None
        self._inputs: dict[str, np.ndarray] = {}

    @abstractmethod
    def _main_map(self, plan: ImagePlan, values: np.ndarray) -> np.ndarray:
        """The task's output [h, w] at the published size, float32 [H, W]; `values` may be changed."""

    @abstractmethod
    def _result(self, main: np.ndarray, **common: Any) -> AnyResult:
        """Result of the task around what `_main_map` gave; common: the fields of `Result`."""

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
        images: Mapping[str, np.ndarray],
        maps: Collection[str] = MAPS,
        encodings: Mapping[str, str] | None = None,
        timer: StageTimer | None = None,
    ) -> AnyResult:
        """Maps of the view that the network's first input shows.

        images: by input name [H, W] or [H, W, C], rectified and of equal size; those that the network does not take
        are not looked at. maps: what is wanted besides disparity or depth, among MAPS. encodings: by input name, see
        color.ENCODINGS; without an entry rgb8. Raises ValueError for images that are missing, differ in size or break
        their encoding.
        """
        names = self.backend.spec.inputs
        source = _common_size(images, names)
        timer = timer or StageTimer()
        plan = make_plan(source, self.backend.spec.size_multiple, self.network_size, self.output)
        self._prepare(plan.network)
        bits = bits_used(images[name] for name in names)  # one scale for all, or a pair would differ in brightness
        rgb = {name: to_rgb(images[name], (encodings or {}).get(name, "rgb8"), bits) for name in names}
        for name, image in rgb.items():
            plan.apply(image, self._inputs[name][0])
        timer.mark("decode")
        maps = self.available(maps)
        outputs = self.backend.infer(self._outputs_for(maps))
        timer.mark("infer")
        result = self._undo(plan, outputs, maps, rgb[names[0]])
        timer.mark("undo")
        result.milliseconds = timer.milliseconds
        return result

    def _prepare(self, size: Size) -> None:
        if self._prepared != size:
            self._inputs = self.backend.prepare(size)
            self._prepared = size

    def _outputs_for(self, maps: set[str]) -> set[str]:
        outputs = {MAIN_OUTPUT[self.task]}
        if "confidence" in maps or (self.confidence_threshold > 0 and self.available({"confidence"})):
            outputs.add("confidence")
        if maps & {"semantic", "instance"}:
            outputs.add("semantic")
        if "instance" in maps:
            outputs |= {"instance_center", "instance_offset"}
        return outputs

    def _undo(self, plan: ImagePlan, outputs: dict[str, np.ndarray], maps: set[str], view: np.ndarray) -> AnyResult:
        main = self._main_map(plan, outputs[MAIN_OUTPUT[self.task]][0])
        result = self._result(main, plan=plan, view_rgb=view)
        if "confidence" in outputs:
            confidence = plan.undo(outputs["confidence"][0])
            result.confidence = confidence if "confidence" in maps else None
            if self.confidence_threshold > 0:
                unsure = confidence < np.float32(self.confidence_threshold)
                np.putmask(main, unsure, np.float32(np.nan))
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


class StereoPipeline(Pipeline[StereoResult]):
    """Disparity of rectified pairs: images `left` and `right`."""

    task = "stereo"

    def _main_map(self, plan: ImagePlan, values: np.ndarray) -> np.ndarray:
        np.minimum(values, np.float32(self.backend.spec.max_disparity), out=values)
        return plan.undo_disparity(values)

    def _result(self, main: np.ndarray, **common: Any) -> StereoResult:
        return StereoResult(disparity_px=main, **common)


class MonoPipeline(Pipeline[MonoResult]):
    """Depth of single views: image `image`."""

    task = "mono"

    def _main_map(self, plan: ImagePlan, values: np.ndarray) -> np.ndarray:
        return plan.undo(values)

    def _result(self, main: np.ndarray, **common: Any) -> MonoResult:
        focal_px = self.backend.spec.canonical_focal_px
        assert focal_px is not None  # a spec for mono has one
        return MonoResult(canonical_depth_m=main, canonical_focal_px=focal_px, **common)


def _common_size(images: Mapping[str, np.ndarray], names: Collection[str]) -> Size:
    """(height, width) of the named images. Raises ValueError when one is missing or they differ."""
    if missing := [name for name in names if name not in images]:
        raise ValueError(f"expected the images {list(names)}, got no {missing} among {list(images)}; pass them all")
    sizes = {name: images[name].shape[:2] for name in names}
    if len(set(sizes.values())) > 1:
        got = " and ".join(f"{width}x{height} {name}" for name, (height, width) in sizes.items())
        raise ValueError(f"expected {' and '.join(names)} of one size, got {got}; check the drivers' settings")
    return next(iter(sizes.values()))
