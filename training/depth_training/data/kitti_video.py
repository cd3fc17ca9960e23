# SPDX-License-Identifier: Apache-2.0
"""What KITTI raw drives and odometry sequences share: frames of a moving rig, made into samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from depth_runtime.camera import Camera, StereoCamera
from depth_runtime.files.images import image_named, read_rgb

from .calibration import stereo_pair
from .lidar import project_depth, read_sweep
from .sample import Sample


@dataclass(frozen=True)
class RigCalibration:
    """Calibration of a drive: left_from_lidar float64 [3, 4] gives pixels * depth; right None for one camera."""

    left: np.ndarray
    right: np.ndarray | None
    left_from_lidar: np.ndarray | None
    path: Path

    def camera(self) -> StereoCamera | Camera:
        """Sample.camera."""
        return (
            Camera.from_projection(self.left) if self.right is None else stereo_pair(self.left, self.right, self.path)
        )


@dataclass(frozen=True)
class VideoFrame:
    """Files of one moment; right and sweep are None where the set has none."""

    left: Path
    right: Path | None
    sweep: Path | None
    rig: RigCalibration
    name: str
    pose: np.ndarray | None = None
    neighbours: tuple[Path, ...] = field(default=())

    def sample(self) -> Sample:
        """Images, pose, and the depth (and disparity, for a pair) of the lidar sweep."""
        left = read_rgb(self.left)
        camera, maps = self.rig.camera(), {}
        if self.sweep is not None and self.rig.left_from_lidar is not None:
            depth_m = project_depth(read_sweep(self.sweep), self.rig.left_from_lidar, *left.shape[:2])
            maps["depth_m"] = depth_m
            if isinstance(camera, StereoCamera):
                bf = np.float32(camera.fx * camera.baseline_m)
                maps["disparity_px"] = bf / depth_m + np.float32(camera.disparity_shift_px)
        return Sample(
            left=left,
            right=read_rgb(self.right) if self.right else None,
            pose=self.pose,
            neighbours=tuple(read_rgb(path) for path in self.neighbours),
            name=self.name,
            camera=camera,
            **maps,
        )


class KittiVideo:
    """Frames of several drives as samples."""

    def __init__(self, frames: Sequence[VideoFrame]) -> None:
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Sample:
        return self._frames[index].sample()


def drive_frames(
    lefts: Sequence[Path],
    right: Path | None,
    sweeps: Path | None,
    rig: RigCalibration,
    name: str,
    poses: Sequence[np.ndarray] | None,
    neighbours: bool,
) -> list[VideoFrame]:
    """Frames of one drive, in order.

    right, sweeps: folders, None where there is none. A frame without a sweep of its name has none. With
    `neighbours` frames carry the previous and next left image, and the two end frames are left out.
    """
    if poses is not None and len(poses) != len(lefts):
        raise ValueError(
            f"expected a pose for each of {len(lefts)} images of {name}, got {len(poses)}; copy both again"
        )
    chosen = range(1, len(lefts) - 1) if neighbours else range(len(lefts))
    frames = []
    for i in chosen:
        stem = lefts[i].stem
        sweep = sweeps / f"{stem}.bin" if sweeps else None
        frames.append(
            VideoFrame(
                left=lefts[i],
                right=image_named(right / stem) if right else None,
                sweep=sweep if sweep and sweep.is_file() else None,
                rig=rig,
                name=f"{name}/{stem}",
                pose=None if poses is None else poses[i],
                neighbours=(lefts[i - 1], lefts[i + 1]) if neighbours else (),
            )
        )
    return frames
