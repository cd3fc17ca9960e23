# SPDX-License-Identifier: Apache-2.0
"""OpenCV's StereoSGBM as a method of `evaluate`: the classical baseline."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import cv2
import numpy as np

from .method import Prediction

SGBM_LEVELS = 192


def make_sgbm() -> cv2.StereoSGBM:
    """OpenCV StereoSGBM, 3-way, SGBM_LEVELS levels, tuned as stereo_image_proc's users do."""
    return cv2.StereoSGBM_create(
        minDisparity=0,
        numDisparities=SGBM_LEVELS,
        blockSize=5,
        P1=8 * 25,
        P2=32 * 25,
        disp12MaxDiff=1,
        preFilterCap=31,
        uniquenessRatio=10,
        speckleWindowSize=100,
        speckleRange=2,
        mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY,
    )


class SgbmMethod:
    """The matcher of `make_sgbm` at the images' own size; holes take the background."""

    inputs = ("left", "right")
    maps: frozenset[str] = frozenset()

    def __init__(self, _argument: str, threads: int, _size: str = "source") -> None:
        cv2.setNumThreads(threads)
        self._matcher = make_sgbm()

    def __call__(self, images: Mapping[str, np.ndarray], maps: Collection[str] = ()) -> Prediction:
        """Dense disparity by filling, and the pixels that SGBM itself predicted."""
        # Without a margin SGBM gives no prediction in the first SGBM_LEVELS columns.
        grey = [
            cv2.copyMakeBorder(
                cv2.cvtColor(images[name], cv2.COLOR_RGB2GRAY), 0, 0, SGBM_LEVELS, 0, cv2.BORDER_CONSTANT
            )
            for name in self.inputs
        ]
        sparse = self._matcher.compute(*grey)[:, SGBM_LEVELS:].astype(np.float32) / 16
        return Prediction(fill_from_background(sparse), parts={"own predictions": sparse > 0})


def fill_from_background(disparity_px: np.ndarray) -> np.ndarray:
    """Fill pixels <= 0 of each row with the smaller of the nearest predictions to both sides: the background.

    float32 [H, W] -> same; a row without any prediction becomes 0.
    """

    def nearest_to_the_left(values: np.ndarray) -> np.ndarray:
        index = np.maximum.accumulate(np.where(values > 0, np.arange(values.shape[1]), 0), axis=1)
        found = np.take_along_axis(values, index, 1)
        return np.where(found > 0, found, np.inf)

    from_left = nearest_to_the_left(disparity_px)
    from_right = nearest_to_the_left(disparity_px[:, ::-1])[:, ::-1]
    filled = np.minimum(from_left, from_right)
    filled[~np.isfinite(filled)] = 0
    return np.where(disparity_px > 0, disparity_px, filled).astype(np.float32)
