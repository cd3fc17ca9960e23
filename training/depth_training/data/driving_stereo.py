# SPDX-License-Identifier: Apache-2.0
"""DrivingStereo: driving pairs with disparity from accumulated lidar. Source: Yang et al., CVPR 2019."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from depth_runtime.camera import Camera, StereoCamera
from depth_runtime.files.disparity_png import read_disparity
from depth_runtime.files.images import image_named, images_in, is_image, natural_order, read_rgb
from depth_runtime.files.kitti_calibration import matrix, read_numbers

from .registry import check_split, register
from .sample import Sample

# The 16-bit maps hold half-size pixels * 256; full-size disparities are twice as large and would not fit.
_SCALE = {"half": 256.0, "full": 128.0}
_WEATHER = ("cloudy", "foggy", "rainy", "sunny")


@register("drivingstereo")
class DrivingStereo:
    """Root with {train,test}-left-image, -right-image, -disparity-map and calibration texts; or weather folders.

    split: train, test, or one of the weather folders cloudy, foggy, rainy, sunny. size: half (881 x 400) or full
    (1762 x 800). Images lie below the part's folder, with or without a folder per drive and size. Region images
    (`sam-masks`) are taken from {train,test}-regions or regions/ of a weather folder, where they are.
    """

    def __init__(self, root: Path, split: str = "train", size: str = "half") -> None:
        check_split(split, ("train", "test", *_WEATHER))
        check_split(size, tuple(_SCALE))
        weather = split in _WEATHER
        self._root, self._size = root, size
        self._parts = [
            _sized(root / split / f"{kind}-{size}-size" if weather else root / f"{split}-{kind}", size)
            for kind in ("left-image", "right-image", "disparity-map")
        ]
        self._regions = root / split / "regions" if weather else root / f"{split}-regions"
        folders = sorted({path.parent for path in self._parts[0].rglob("*") if is_image(path)}, key=natural_order)
        if not folders:
            raise ValueError(f"expected images below {self._parts[0]}, got none; unpack the archives there")
        self._lefts = [path for folder in folders for path in images_in(folder)]
        self._cameras: dict[str, StereoCamera] = {}

    def __len__(self) -> int:
        return len(self._lefts)

    def __getitem__(self, index: int) -> Sample:
        path = self._lefts[index]
        stem = path.relative_to(self._parts[0]).with_suffix("")
        regions = self._regions / f"{stem}.png"
        return Sample(
            left=read_rgb(path),
            right=read_rgb(image_named(self._parts[1] / stem)),
            disparity_px=read_disparity(self._parts[2] / f"{stem}.png", _SCALE[self._size]),
            regions=read_rgb(regions) if regions.is_file() else None,
            name=path.stem,
            camera=self._camera(path.stem.split("_")[0]),
        )

    def _camera(self, drive: str) -> StereoCamera:
        if drive not in self._cameras:
            file = f"{self._size}-image-calib/{drive}.txt"
            found = sorted(self._root.glob(f"**/{file}"))
            if not found:
                raise ValueError(f"expected the calibration {file} below {self._root}, got none; unpack it there")
            self._cameras[drive] = _stereo_camera(found[0])
        return self._cameras[drive]


def _sized(part: Path, size: str) -> Path:
    """The part's own folder, or the one that the archive of this size unpacks to inside it."""
    inner = part / f"{part.name.split('-', 1)[-1]}-{size}-size"
    return inner if inner.is_dir() else part


def _stereo_camera(path: Path) -> StereoCamera:
    """Camera 101 is the left one, 103 the right one."""
    numbers = read_numbers(path)
    left, right = (matrix(numbers, f"P_rect_{camera}", (3, 4), path) for camera in (101, 103))
    # P_rect_103[0, 3] of the half-size files was not halved with the focal length; the translation holds for both.
    baseline_m = float(np.linalg.norm(matrix(numbers, "T_103", (3,), path)))
    return StereoCamera.of(Camera.from_projection(left), float(right[0, 2]), baseline_m)
