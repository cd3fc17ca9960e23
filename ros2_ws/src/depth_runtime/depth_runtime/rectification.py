# SPDX-License-Identifier: Apache-2.0
"""What the projection matrices of two cameras must agree on to be those of a rectified pair, and their baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .camera_info import CalibrationError, CameraInfo

# One rectification writes the same fx, fy and cy into both matrices. This leaves room for printed digits: half a pixel
# at the rim of a 1000 px image, as for the rows.
FOCAL_TOLERANCE = 0.001
ROW_TOLERANCE_PX = 0.5
# Translation across the rows against that along them; KITTI's real cameras have 0.005.
ACROSS_TOLERANCE = 0.02
# Factors of the units in which P[3] and baselines are met, largest first.
_UNITS = {"millimetres": 1000.0, "centimetres": 100.0}


@dataclass(frozen=True)
class BaselineRule:
    """given_m: the baseline, whatever the matrices say, 0 = as they say; low_m .. high_m: what they may say, metres."""

    given_m: float = 0.0
    low_m: float = 0.01
    high_m: float = 5.0

    def fits(self, baseline_m: float) -> bool:
        """Whether a baseline is plausible."""
        return self.low_m <= baseline_m <= self.high_m

    def check(self, baseline_m: float, source: str, shift: float | None = None) -> None:
        """Raise CalibrationError for an implausible baseline > 0, with a guess at its unit.

        source: where it comes from, in words; shift: fx * baseline as its author wrote it.
        """
        if self.fits(baseline_m):
            return
        guesses = [
            f"{unit}? then the baseline is {baseline_m / factor:.4g} m; "
            for unit, factor in _UNITS.items()
            if self.fits(baseline_m / factor)
        ]
        if shift is not None and self.fits(shift):
            guesses.append(f"the baseline itself instead of -fx * baseline? then it is {shift:.4g} m; ")
        raise CalibrationError(
            f"expected a baseline of {self.low_m:g} to {self.high_m:g} m, got {baseline_m:.6g} m from {source}: "
            f"{guesses[0] if guesses else ''}correct the calibration, or set the baseline yourself (the node's "
            "parameter baseline_m), or widen min_baseline_m and max_baseline_m if it is true"
        )


def check_rectified(left: np.ndarray, right: np.ndarray) -> None:
    """Raise CalibrationError for matrices float64 [3, 4] that cannot be those of a rectified pair."""
    for name, p in (("left", left), ("right", right)):
        if not np.isfinite(p).all():
            raise CalibrationError(f"expected finite numbers in P of the {name} camera, got {p.tolist()}")
        if p[0, 0] <= 0 or p[1, 1] <= 0:
            raise CalibrationError(
                f"expected focal lengths > 0 in P of the {name} camera, got fx {p[0, 0]:g}, fy {p[1, 1]:g}; "
                "the camera is not calibrated"
            )
        if np.abs([p[0, 1], p[1, 0], p[2, 0], p[2, 1], p[2, 2] - 1]).max() > 1e-6:
            raise CalibrationError(
                f"expected P = [fx 0 cx Tx; 0 fy cy Ty; 0 0 1 Tz] of the {name} camera, got {p.tolist()}; "
                "write its twelve numbers row by row"
            )
    for name, index in (("fx", (0, 0)), ("fy", (1, 1))):
        if abs(left[index] - right[index]) > FOCAL_TOLERANCE * left[index]:
            _refuse(f"one focal length for a rectified pair, got {name} {left[index]:g} and {right[index]:g}")
    if abs(left[1, 2] - right[1, 2]) > ROW_TOLERANCE_PX:
        _refuse(f"one cy for a rectified pair, whose rows are aligned, got cy {left[1, 2]:g} and {right[1, 2]:g}")


def _refuse(expectation: str) -> None:
    raise CalibrationError(
        f"expected {expectation}; the images are not rectified to each other, or this is not the calibration of the "
        "rectified ones: feed rectified images with the calibration of the rectification"
    )


def baseline(left: np.ndarray, right: np.ndarray, rule: BaselineRule) -> float:
    """Metres between the cameras of two matrices [3, 4]: the rule's own, or (P_left[3] - P_right[3]) / fx.

    Raises CalibrationError for one that cannot be, naming both P[3].
    """
    if rule.given_m > 0:
        return rule.given_m
    shift, across = (float(left[row, 3] - right[row, 3]) for row in (0, 1))
    source = f"P[3] = {left[0, 3]:g} left and {right[0, 3]:g} right with fx {left[0, 0]:g}"
    baseline_m = shift / float(left[0, 0])
    if baseline_m <= 0:
        swapped = baseline_m < 0
        reason = (
            f"left and right are swapped, or the sign is wrong and it is {-baseline_m:.6g} m"
            if swapped
            else "the calibration holds none"
        )
        raise CalibrationError(
            "expected a baseline > 0 m from P_right[3] = P_left[3] - fx * baseline, got "
            f"{baseline_m:.6g} m from {source}: {reason}; calibrate the pair, or set the baseline yourself (the "
            "node's parameter baseline_m)"
        )
    rule.check(baseline_m, source, shift)
    if abs(across / left[1, 1]) > ACROSS_TOLERANCE * baseline_m:
        _refuse(
            f"cameras side by side, got {across / left[1, 1]:.4g} m across the rows from P[7] = {left[1, 3]:g} left "
            f"and {right[1, 3]:g} right, and {baseline_m:.4g} m along them"
        )
    return baseline_m


def doubt_about_rectified(left: CameraInfo, right: CameraInfo) -> str:
    """What looks like the calibration of raw images in two CameraInfo, "" if nothing does."""
    for side, info in (("left", left), ("right", right)):
        k, p = np.asarray(info.k, float).reshape(3, 3), np.asarray(info.p, float).reshape(3, 4)
        lens = np.asarray(info.d, float)
        if lens.any() and np.allclose(k, p[:, :3], rtol=1e-6):
            return (
                f"the {side} camera_info says that its lens distorts (D {lens[:4].round(4).tolist()}) and that "
                "rectification changes nothing (P = K): it looks like that of raw images, and depth is wrong if they "
                "are; rectify the images (image_proc) and publish the calibration of the rectification, or set D to 0 "
                "if they are rectified"
            )
    return ""
