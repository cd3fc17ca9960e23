# SPDX-License-Identifier: Apache-2.0
"""The cameras of rectified images: how every calibration becomes numbers, and what resize, crop and flip do to them.

Convention: pixel centres lie at whole numbers; sizes are (height, width); scales are (x, y).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .camera_info import CalibrationError, CameraInfo, image_projection
from .plan import Size
from .rectification import BaselineRule, baseline, check_rectified

# What the baseline of a calibration may be where nobody says otherwise.
BASELINES = BaselineRule()


@dataclass(frozen=True)
class Camera:
    """Pinhole model of one rectified image, in its pixels. size None is unknown: only what needs it refuses then."""

    fx: float
    fy: float
    cx: float
    cy: float
    size: Size | None = None

    def __post_init__(self) -> None:
        values = (self.fx, self.fy, self.cx, self.cy)
        if not all(map(math.isfinite, values)):
            raise CalibrationError(f"expected finite fx, fy, cx, cy, got {values}; calibrate the camera")
        if self.fx <= 0 or self.fy <= 0:
            raise CalibrationError(
                f"expected focal lengths > 0 px, got fx {self.fx:g}, fy {self.fy:g}; calibrate the camera"
            )
        if self.size is not None and min(self.size) < 1:
            raise CalibrationError(f"expected images with pixels, got {self.size[1]}x{self.size[0]}; correct the size")

    @classmethod
    def from_projection(cls, p: np.ndarray, size: Size | None = None) -> Camera:
        """From a projection matrix (12 numbers, row-major, or [3, 4]) of images of this size."""
        p = np.asarray(p, np.float64).reshape(3, 4)
        return cls(float(p[0, 0]), float(p[1, 1]), float(p[0, 2]), float(p[1, 2]), size)

    @classmethod
    def from_camera_info(cls, info: CameraInfo, size: Size | None = None) -> Camera:
        """The camera of the images that come with a CameraInfo; see `image_projection`."""
        return cls.from_projection(*image_projection(info, "left", size))

    def projection(self, shift: float = 0.0) -> np.ndarray:
        """P float64 [3, 4] with P[0, 3] = shift, in pixels * metres."""
        return np.array([[self.fx, 0, self.cx, shift], [0, self.fy, self.cy, 0], [0, 0, 1, 0]], np.float64)

    def camera_info_fields(self, shift: float = 0.0) -> dict[str, Any]:
        """Fields of the CameraInfo of this rectified image: size, K, R = identity and P; lists of floats.

        The lens is out of a rectified image: its D is zeros, which a message makes as its distortion model asks.
        """
        height, width = self.known_size()
        p = self.projection(shift)
        return {
            "height": height,
            "width": width,
            "k": p[:, :3].ravel().tolist(),
            "r": np.eye(3).ravel().tolist(),
            "p": p.ravel().tolist(),
        }

    def known_size(self) -> Size:
        """The size. Raises CalibrationError where it is unknown."""
        if self.size is None:
            raise CalibrationError("expected a camera that knows the size of its images, got none; give it its size")
        return self.size

    def scaled(self, scale: tuple[float, float]) -> Camera:
        """The same camera for images resized by scale (x, y)."""
        size = self.size and (round(self.size[0] * scale[1]), round(self.size[1] * scale[0]))
        return Camera(
            self.fx * scale[0],
            self.fy * scale[1],
            (self.cx + 0.5) * scale[0] - 0.5,
            (self.cy + 0.5) * scale[1] - 0.5,
            size,
        )

    def resized(self, size: Size) -> Camera:
        """The same camera for images resized to `size`. Raises CalibrationError where its own size is unknown."""
        return replace(self.scaled(factors(self.known_size(), size)), size=size)

    def cropped(self, top: int, first: int, size: Size) -> Camera:
        """The same camera for the window of `size` from row `top` and column `first`.

        Raises CalibrationError for a window that leaves an image of known size.
        """
        if self.size is not None:
            room = self.size[0] - size[0], self.size[1] - size[1]
            if not (0 <= top <= room[0] and 0 <= first <= room[1]):
                raise CalibrationError(
                    f"expected a window inside {self.size[1]}x{self.size[0]}, got {size[1]}x{size[0]} at "
                    f"({first}, {top}); choose a smaller one"
                )
        return replace(self, cx=self.cx - first, cy=self.cy - top, size=size)

    def flipped(self) -> Camera:
        """The camera of the image mirrored left to right. Raises CalibrationError where its size is unknown."""
        return replace(self, cx=self.known_size()[1] - 1 - self.cx)


@dataclass(frozen=True)
class StereoCamera:
    """Pinhole model of a rectified pair in pixels of its images; baseline in metres, > 0. size as in Camera."""

    fx: float
    fy: float
    cx_left: float
    cx_right: float
    cy: float
    baseline_m: float
    size: Size | None = None

    def __post_init__(self) -> None:
        _ = self.left, self.right  # refuse their own numbers
        if not math.isfinite(self.baseline_m):
            raise CalibrationError(f"expected a finite baseline, got {self.baseline_m} m; calibrate the pair")
        if self.baseline_m <= 0:
            raise CalibrationError(
                f"expected a baseline > 0 m from P_right[3] = P_left[3] - fx * baseline, got {self.baseline_m:.6g} m; "
                "check that left and right are not swapped and that the right calibration is of a stereo pair"
            )

    @classmethod
    def of(cls, left: Camera, cx_right: float, baseline_m: float) -> StereoCamera:
        """A pair from its left camera."""
        return cls(left.fx, left.fy, left.cx, cx_right, left.cy, baseline_m, left.size)

    @classmethod
    def from_projections(
        cls, p_left: np.ndarray, p_right: np.ndarray, size: Size | None = None, rule: BaselineRule = BASELINES
    ) -> StereoCamera:
        """From the projection matrices (12 numbers, row-major, or [3, 4]) of the rectified cameras.

        The baseline is (P_left[3] - P_right[3]) / fx, unless the rule gives another. Raises CalibrationError for
        numbers from which no depth follows, that contradict a rectified pair, or whose baseline is implausible.
        """
        left, right = (np.asarray(p, np.float64).reshape(3, 4) for p in (p_left, p_right))
        check_rectified(left, right)
        baseline_m = baseline(left, right, rule)
        return cls.of(Camera.from_projection(left, size), float(right[0, 2]), baseline_m)

    @classmethod
    def from_camera_infos(
        cls, left: CameraInfo, right: CameraInfo, size: Size | None = None, rule: BaselineRule = BASELINES
    ) -> StereoCamera:
        """The pair of the images that come with two CameraInfo; see `image_projection` and `from_projections`.

        size None takes the left one's. Raises CalibrationError also when the two are for images of other sizes.
        """
        p_left, size = image_projection(left, "left", size)
        p_right, _ = image_projection(right, "right", size)
        return cls.from_projections(p_left, p_right, size, rule)

    @property
    def left(self) -> Camera:
        """The left camera by itself."""
        return Camera(self.fx, self.fy, self.cx_left, self.cy, self.size)

    @property
    def right(self) -> Camera:
        """The right camera by itself."""
        return Camera(self.fx, self.fy, self.cx_right, self.cy, self.size)

    @property
    def disparity_shift_px(self) -> float:
        """cx_left - cx_right: the disparity of a point at infinity."""
        return self.cx_left - self.cx_right

    def projections(self) -> tuple[np.ndarray, np.ndarray]:
        """P of the left and of the right camera, float64 [3, 4], in the left camera's frame."""
        return self.left.projection(), self.right.projection(self.right_shift)

    @property
    def right_shift(self) -> float:
        """P_right[0, 3] in the left camera's frame, in pixels * metres."""
        return -self.fx * self.baseline_m

    def _changed(self, left: Camera, right: Camera) -> StereoCamera:
        return StereoCamera.of(left, right.cx, self.baseline_m)

    def scaled(self, scale: tuple[float, float]) -> StereoCamera:
        """The same cameras for images resized by scale (x, y)."""
        return self._changed(self.left.scaled(scale), self.right.scaled(scale))

    def resized(self, size: Size) -> StereoCamera:
        """The same cameras for images resized to `size`. Raises CalibrationError where their own size is unknown."""
        return self._changed(self.left.resized(size), self.right.resized(size))

    def cropped(self, top: int, first: int, size: Size) -> StereoCamera:
        """The same cameras for the same window of both images, as in Camera."""
        return self._changed(self.left.cropped(top, first, size), self.right.cropped(top, first, size))

    def flipped(self) -> StereoCamera:
        """The mirrored pair: the mirrored right image is its left one, so that disparities stay positive."""
        return self._changed(self.right.flipped(), self.left.flipped())


def factors(source: Size, target: Size) -> tuple[float, float]:
    """Scale (x, y) of a resize from one size to another."""
    return target[1] / source[1], target[0] / source[0]
