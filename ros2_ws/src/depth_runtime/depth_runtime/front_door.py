# SPDX-License-Identifier: Apache-2.0
"""A network as a Python function: two images in, maps that the caller owns out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from .backends import make_backend
from .camera import StereoCamera
from .geometry import depth_from_disparity
from .pipeline import StereoPipeline
from .plan import parse_size
from .spec import Label, ModelSpec
from .zoo import resolve_model

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StereoPrediction:
    """Maps of the left view at the size [H, W] of the images; None where the network has no such output.

    disparity_px: float32 [H, W], x_left - x_right in pixels. confidence: float32 [H, W], 0..1, 1 = sure.
    semantic: uint8 [H, W], ids of `labels`, 255 = unlabelled. instance: uint16 [H, W], 0 = stuff. No later call changes
    these arrays.
    """

    disparity_px: np.ndarray
    confidence: np.ndarray | None
    semantic: np.ndarray | None
    instance: np.ndarray | None
    labels: tuple[Label, ...]

    def depth_m(self, camera: StereoCamera) -> np.ndarray:
        """Depth in metres, float32 [H, W], along the optical axis; NaN where the disparity gives none.

        camera: the calibration of the images as they were given, rectified. Raises ValueError for that of another size.
        """
        shape = self.disparity_px.shape
        if camera.size is not None and camera.size != shape:
            raise ValueError(
                f"expected the camera of images of {shape[1]}x{shape[0]}, got one of {camera.size[1]}x{camera.size[0]}"
                "; give the calibration of these images, or camera.resized(...)"
            )
        shifted_px = self.disparity_px - np.float32(camera.disparity_shift_px)
        depth_m = depth_from_disparity(shifted_px, camera.fx, camera.baseline_m)
        depth_m[~np.isfinite(depth_m)] = np.nan
        return depth_m


class Stereo:
    """A loaded stereo network; `load` makes one. One call at a time: calls share the network's buffers."""

    def __init__(self, pipeline: StereoPipeline) -> None:
        self._pipeline = pipeline

    @property
    def spec(self) -> ModelSpec:
        """What the network file says of itself: version, classes, range, how it was trained."""
        return self._pipeline.backend.spec

    @property
    def device(self) -> str:
        """Where the network runs, for people."""
        return self._pipeline.backend.device

    def __call__(self, left_rgb: ArrayLike, right_rgb: ArrayLike) -> StereoPrediction:
        """Maps of one rectified pair.

        left_rgb, right_rgb: uint8 [H, W, 3] in RGB order (OpenCV reads BGR: image[..., ::-1]), or grey [H, W], of one
        size. Raises ValueError for anything else.
        """
        left, right = checked_image("left", left_rgb), checked_image("right", right_rgb)
        if left.shape != right.shape:
            raise ValueError(
                f"expected two images of one shape, got {list(left.shape)} left and {list(right.shape)} right; "
                "give a rectified pair"
            )
        encodings = dict.fromkeys(("left", "right"), "rgb8" if left.ndim == 3 else "mono8")
        result = self._pipeline.process({"left": left, "right": right}, encodings=encodings)
        panoptic = result.panoptic
        return StereoPrediction(
            np.array(result.disparity_px),
            None if result.confidence is None else np.array(result.confidence),
            None if panoptic is None else np.array(panoptic.semantic),
            None if panoptic is None or panoptic.instance is None else np.array(panoptic.instance),
            self.spec.labels,
        )


def load(model: str | Path = "stereo_s", *, backend: str = "auto", threads: int = 0, size: str = "source") -> Stereo:
    """Load a stereo network by its zoo name or file.

    backend: "auto" or one of `depth_runtime.backends.backend_names()`; when a GPU backend cannot run here the CPU takes
    over, with a warning. threads: CPU threads, 0 = one for each core. size: what the network sees, "source" (the
    images' own), "default" (the network's own) or "WIDTHxHEIGHT"; maps come at the images' size in any case. Raises
    SpecError (a ValueError), listing what exists, for an unknown model, ValueError for an unknown backend or size,
    BackendError when nothing can run here.
    """
    engine = make_backend(resolve_model(str(model)), backend, threads)
    if engine.fallback_reason:
        log.warning(engine.fallback_reason)
    return Stereo(StereoPipeline(engine, parse_size(size, engine.spec.default_size)))


def checked_image(name: str, image: ArrayLike) -> np.ndarray:
    """The image as an array uint8 [H, W, 3] or [H, W]. Raises ValueError saying how to make it one."""
    pixels = np.asarray(image)
    got = f"{pixels.dtype} {list(pixels.shape)}"
    remedy = ""
    if pixels.ndim == 3 and pixels.shape[2] != 3:
        remedy = {4: "leave the alpha channel out: image[..., :3]", 1: "image[..., 0] is a grey image"}.get(
            pixels.shape[2], "channels come last: image.transpose(1, 2, 0)" if pixels.shape[0] == 3 else "give RGB"
        )
    elif pixels.ndim not in (2, 3):
        remedy = "give one pair per call, not a batch" if pixels.ndim == 4 else "give an image"
    elif min(pixels.shape) < 1:
        remedy = "give an image with pixels"
    elif pixels.dtype.kind == "f":
        top = float(np.nanmax(pixels))
        remedy = "(image * 255).round().astype(np.uint8)" if top <= 1 else "image.round().astype(np.uint8)"
        got += f" with values up to {top:g}"
    elif pixels.dtype != np.uint8:
        remedy = "scale it to 0..255 and convert it: image.astype(np.uint8)"
    if remedy:
        raise ValueError(f"expected the {name} image as uint8 [H, W, 3] RGB 0..255 or grey [H, W], got {got}; {remedy}")
    return pixels
