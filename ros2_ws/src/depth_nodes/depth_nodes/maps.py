# SPDX-License-Identifier: Apache-2.0
"""One answered frame, as its outputs see it: what follows from the maps is computed once, and only if asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from depth_runtime.camera import StereoCamera
from depth_runtime.geometry import depth_from_disparity, points_from_depth
from depth_runtime.plan import ImagePlan
from depth_runtime.results import PanopticMap
from depth_runtime.timing import StageTimer
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from .settings import Settings
from .views import Views

# Rows of the grid on which the result is looked at; a full count would cost a millisecond of a large frame.
SAMPLED = 64


@dataclass(eq=False)
class Maps(ABC):
    """Maps of one frame at the published size (H, W) of `plan`; None where not asked for or not answered.

    header and info: of the image that the maps belong to, info for its own size; image_rgb: that image, uint8
    [Hs, Ws, 3]; confidence: float32 [H, W], 0..1.
    """

    header: Header
    info: CameraInfo
    image_rgb: np.ndarray
    plan: ImagePlan
    confidence: np.ndarray | None
    panoptic: PanopticMap | None
    settings: Settings
    views: Views
    timer: StageTimer

    @cached_property
    def rgb(self) -> np.ndarray:
        """The image at the published size, uint8 [H, W, 3]."""
        size = self.plan.target
        if self.image_rgb.shape[:2] == size:
            return self.image_rgb
        return cv2.resize(self.image_rgb, size[::-1], interpolation=cv2.INTER_AREA)

    @property
    @abstractmethod
    def depth_m(self) -> np.ndarray:
        """Depth float32 [H, W] in metres: NaN = invalid, +-Inf = out of the settings' range."""

    @property
    @abstractmethod
    def valid_ratio(self) -> float:
        """Fraction of the pixels that have a finite depth, measured on a grid of SAMPLED rows or more."""

    @abstractmethod
    def points(self, stride: int) -> np.ndarray:
        """Points float32 [ceil(H / stride), ceil(W / stride), 3] in metres, NaN where depth is not finite."""


@dataclass(eq=False)
class StereoMaps(Maps):
    """Maps of a stereo pair.

    network_disparity_px: float32 [H, W], pixels of the published size before the shift of the principal points; its
    memory becomes that of disparity_px. source_camera: for the camera's images; max_disparity_px: for the network's.
    """

    network_disparity_px: np.ndarray
    source_camera: StereoCamera
    max_disparity_px: float

    @cached_property
    def camera(self) -> StereoCamera:
        """Calibration at the published size."""
        return self.source_camera.scaled(self.plan.scale_out)

    @cached_property
    def disparity_px(self) -> np.ndarray:
        """Disparity float32 [H, W] with infinity at 0, NaN = invalid."""
        disparity_px = self.network_disparity_px
        if self.camera.disparity_shift_px:
            disparity_px -= np.float32(self.camera.disparity_shift_px)
        return disparity_px

    @cached_property
    def depth_m(self) -> np.ndarray:
        """See `Maps.depth_m`; a stage of its own in the timer."""
        depth_m = self._depth(self.disparity_px)
        self.timer.mark("depth")
        return depth_m

    @property
    def valid_ratio(self) -> float:
        """See `Maps.valid_ratio`."""
        stride = max(1, min(self.plan.target) // SAMPLED)
        return float(np.isfinite(self._depth(self.disparity_px[::stride, ::stride])).mean())

    def _depth(self, disparity_px: np.ndarray) -> np.ndarray:
        settings, camera = self.settings, self.camera
        return depth_from_disparity(
            disparity_px, camera.fx, camera.baseline_m, settings.min_depth_m, settings.max_depth_m
        )

    def points(self, stride: int) -> np.ndarray:
        """See `Maps.points`."""
        return points_from_depth(self.depth_m, self.camera.left, stride)
