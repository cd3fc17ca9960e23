# SPDX-License-Identifier: Apache-2.0
"""The one schema of training data: what every reader gives and every trainer takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from depth_runtime.camera import CalibrationError, Camera, StereoCamera
from depth_runtime.geometry import depth_from_disparity

_DTYPES = {
    "right": np.uint8,
    "disparity_px": np.float32,
    "right_disparity_px": np.float32,
    "occluded": np.bool_,
    "semantic": np.uint8,
    "instance": np.uint16,
    "depth_m": np.float32,
    "regions": np.uint8,
}
_COLOURED = ("right", "regions")


@dataclass(frozen=True)
class Sample:
    """One view, mono or stereo, with whatever truth its source has; None where it has none.

    left, right: uint8 [H, W, 3] RGB, rectified; right is None for one camera.
    disparity_px: float32 [H, W] of the left view, right_disparity_px the same of the right view, NaN = unknown.
    occluded: bool [H, W], True where the right camera does not see the left view's surface.
    semantic: uint8 [H, W] ids of depth_models.LABELS, 255 unlabelled; instance: uint16 [H, W], 0 = stuff.
    depth_m: float32 [H, W] metres along the optical axis, NaN = unknown (see `true_depth_m`).
    regions: uint8 [H, W, 3], image of the left view in which each region has one colour of no further meaning.
    camera: that of the pair, or of the left view where there is no other; it always knows the size of `left`.
    pose: float64 [4, 4], left camera to world, metres; neighbours: uint8 [H, W, 3] images, (previous, next).
    """

    left: np.ndarray
    right: np.ndarray | None = None
    disparity_px: np.ndarray | None = None
    right_disparity_px: np.ndarray | None = None
    occluded: np.ndarray | None = None
    semantic: np.ndarray | None = None
    instance: np.ndarray | None = None
    depth_m: np.ndarray | None = None
    regions: np.ndarray | None = None
    camera: StereoCamera | Camera | None = None
    pose: np.ndarray | None = None
    neighbours: tuple[np.ndarray, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        if self.left.dtype != np.uint8 or self.left.ndim != 3 or self.left.shape[2] != 3:
            raise ValueError(f"expected left uint8 [H, W, 3], got {self._shape(self.left)} in '{self.name}'")
        for field, dtype in _DTYPES.items():
            value = getattr(self, field)
            size = self.left.shape if field in _COLOURED else self.left.shape[:2]
            if value is not None and (value.dtype != dtype or value.shape != size):
                raise ValueError(
                    f"expected {field} {np.dtype(dtype).name} {list(size)} like left, got {self._shape(value)} "
                    f"in '{self.name}'; check that the files belong together"
                )
        self._check_camera()
        for image in self.neighbours:
            if image.dtype != np.uint8 or image.shape != self.left.shape:
                raise ValueError(f"expected neighbours like left, got {self._shape(image)} in '{self.name}'")

    def _check_camera(self) -> None:
        size = self.left.shape[:2]
        if self.camera is not None and self.camera.size is None:
            object.__setattr__(self, "camera", replace(self.camera, size=size))
        if self.camera is not None and self.camera.size != size:
            height, width = self.camera.size
            raise CalibrationError(
                f"expected a calibration of {size[1]}x{size[0]} images in '{self.name}', got one of {width}x{height}; "
                "calibrate at the size of the images"
            )

    @staticmethod
    def _shape(value: np.ndarray) -> str:
        return f"{value.dtype} {list(value.shape)}"

    def true_depth_m(self) -> np.ndarray | None:
        """depth_m, else depth of the true disparity, float32 [H, W] metres, NaN = unknown; None without either."""
        if self.depth_m is not None or self.disparity_px is None:
            return self.depth_m
        depth_m = self.depth_of(self.disparity_px)
        return None if depth_m is None else np.where(np.isfinite(depth_m), depth_m, np.float32(np.nan))

    def depth_of(self, disparity_px: np.ndarray) -> np.ndarray | None:
        """Depth Z = fx B / (d - shift) of a disparity map of the left view; None without the camera of the pair.

        disparity_px: float32 [H, W]. Returns float32 [H, W] metres: NaN where disparity is, +Inf where d <= shift.
        """
        if not isinstance(self.camera, StereoCamera):
            return None
        shifted_px = disparity_px - np.float32(self.camera.disparity_shift_px)
        return depth_from_disparity(shifted_px, self.camera.fx, self.camera.baseline_m)


class Dataset(Protocol):
    """A map-style source of samples."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...
