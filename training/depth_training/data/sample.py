# SPDX-License-Identifier: Apache-2.0
"""The one schema of training data: what every reader gives and every trainer takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
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
    intrinsics: (fx, fy, cx, cy) of the left view in pixels, pixel centres at whole numbers; baseline_m: > 0.
    disparity_shift_px: cx_left - cx_right, the disparity of a point at infinity.
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
    intrinsics: tuple[float, float, float, float] | None = None
    baseline_m: float | None = None
    disparity_shift_px: float = 0.0
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
        for image in self.neighbours:
            if image.dtype != np.uint8 or image.shape != self.left.shape:
                raise ValueError(f"expected neighbours like left, got {self._shape(image)} in '{self.name}'")

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
        """Depth Z = fx B / (d - shift) of a disparity map of the left view; None without calibration.

        disparity_px: float32 [H, W]. Returns float32 [H, W] metres: NaN where disparity is, +Inf where d <= shift.
        """
        if self.intrinsics is None or self.baseline_m is None:
            return None
        shifted_px = disparity_px - np.float32(self.disparity_shift_px)
        return depth_from_disparity(shifted_px, self.intrinsics[0], self.baseline_m)


class Dataset(Protocol):
    """A map-style source of samples."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...
