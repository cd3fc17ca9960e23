# SPDX-License-Identifier: Apache-2.0
"""KITTI raw drives, odometry sequences and the stereo benchmarks of 2012 and 2015.

Colour cameras (2, 3) are taken before the grey ones (0, 1).
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from depth_runtime.camera import StereoCamera
from depth_runtime.files.images import images_in, paired_by_name
from depth_runtime.files.kitti_calibration import read_numbers
from depth_runtime.files.sequence_folder import checked_stamps

from .sequence import (
    FolderLayout,
    LayoutError,
    StampedFrame,
    StereoSequence,
    placed_stamps,
    recorded_stamps,
    rectified_pair,
    stamps_at,
)

_CAMERAS = ((2, 3), (0, 1))


def read_raw(source: Path, rate_hz: float | None) -> StereoSequence:
    """Read a synced and rectified KITTI raw drive (image_02/data ...); the calibration is there or one level up."""
    a, b = next(((a, b) for a, b in _CAMERAS if (source / f"image_{a:02d}").is_dir()), _CAMERAS[0])
    pairs = paired_by_name(source / f"image_{a:02d}" / "data", source / f"image_{b:02d}" / "data")
    path = source / "calib_cam_to_cam.txt"
    if not path.is_file():
        path = source.resolve().parent / "calib_cam_to_cam.txt"
    camera = rectified_pair(path, (f"P_rect_{a:02d}", f"P_rect_{b:02d}"), pairs[0][0])
    stamps = _raw_stamps(source / f"image_{a:02d}" / "timestamps.txt", len(pairs), rate_hz)
    frames = [StampedFrame(stamp, *pair, camera) for stamp, pair in zip(stamps, pairs, strict=True)]
    return StereoSequence("kitti-raw", tuple(frames))


def _raw_stamps(path: Path, count: int, rate_hz: float | None) -> list[int]:
    """Stamps from lines such as "2011-09-26 13:02:25.964389445", taken as UTC."""
    if rate_hz is not None or not path.is_file():
        return stamps_at(count, rate_hz)
    times = []
    for line in filter(None, map(str.strip, path.read_text(encoding="utf-8").splitlines())):
        try:
            whole, _, fraction = line.partition(".")
            moment = datetime.strptime(whole, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
            times.append(int(moment.timestamp()) * 10**9 + int(fraction.ljust(9, "0")[:9]))
        except ValueError as error:
            raise LayoutError(
                f"expected 'YYYY-MM-DD hh:mm:ss.nnnnnnnnn' in {path}, got '{line}'; pass --rate to do without"
            ) from error
    return placed_stamps(checked_stamps(times, count, path))


def read_odometry(source: Path, rate_hz: float | None) -> StereoSequence:
    """Read a KITTI odometry sequence: image_2, image_3 (or image_0, image_1), calib.txt with P0..P3, times.txt."""
    a, b = next(((a, b) for a, b in _CAMERAS if (source / f"image_{a}").is_dir()), _CAMERAS[0])
    pairs = paired_by_name(source / f"image_{a}", source / f"image_{b}")
    camera = rectified_pair(source / "calib.txt", (f"P{a}", f"P{b}"), pairs[0][0])
    stamps = recorded_stamps(source / "times.txt", len(pairs), rate_hz)
    frames = [StampedFrame(stamp, *pair, camera) for stamp, pair in zip(stamps, pairs, strict=True)]
    return StereoSequence("kitti-odometry", tuple(frames))


_STEREO_FOLDERS = (("image_2", "image_3"), ("colored_0", "colored_1"), ("image_0", "image_1"))


def _stereo_root(source: Path) -> Path:
    return source / "training" if (source / "training").is_dir() else source


def read_stereo(source: Path, rate_hz: float | None) -> StereoSequence:
    """Read KITTI stereo 2015 or 2012: unrelated pairs 000000_10, each with its calibration and sparse truth."""
    root = _stereo_root(source)
    left, right = next((pair for pair in _STEREO_FOLDERS if (root / pair[0]).is_dir()), _STEREO_FOLDERS[0])
    lefts = images_in(root / left, "_10")
    frames = []
    for stamp, path in zip(stamps_at(len(lefts), rate_hz), lefts, strict=True):
        partner = root / right / path.name
        if not partner.is_file():
            raise LayoutError(f"expected the right image {partner} to match {path}, got none")
        truth = [root / name / f"{path.stem}.png" for name in ("disp_occ_0", "disp_occ")]
        frames.append(
            StampedFrame(
                stamp,
                path,
                partner,
                _stereo_camera(root, path, grey=left == "image_0"),
                disparity=next((p for p in truth if p.is_file()), None),
            )
        )
    return StereoSequence("kitti-stereo", tuple(frames))


def _stereo_camera(root: Path, image: Path, *, grey: bool) -> StereoCamera:
    """Calibration file of one pair: 2015 names its matrices P_rect_02, 2012 names them P2."""
    name = f"{image.stem.split('_')[0]}.txt"
    path = root / "calib_cam_to_cam" / name
    path = path if path.is_file() or not (root / "calib").is_dir() else root / "calib" / name
    form = "P_rect_{:02d}" if "P_rect_02" in read_numbers(path) else "P{}"
    a, b = (0, 1) if grey else (2, 3)
    return rectified_pair(path, (form.format(a), form.format(b)), image)


KITTI_RAW = FolderLayout(
    matches=lambda source: (source / "image_02").is_dir() or (source / "image_00").is_dir(),
    read=read_raw,
    expects="image_02/data, image_03/data (or image_00, image_01), calib_cam_to_cam.txt here or one level up",
)
KITTI_ODOMETRY = FolderLayout(
    matches=lambda source: (
        (source / "calib.txt").is_file() and ((source / "image_2").is_dir() or (source / "image_0").is_dir())
    ),
    read=read_odometry,
    expects="image_2, image_3 (or image_0, image_1), calib.txt, times.txt",
)
KITTI_STEREO = FolderLayout(
    matches=lambda source: any(
        (_stereo_root(source) / name).is_dir() for name in ("calib_cam_to_cam", "calib", "disp_occ_0", "disp_occ")
    ),
    read=read_stereo,
    expects="training/ with image_2, image_3, calib_cam_to_cam (2012: colored_0, colored_1, calib), disp_occ_0",
)
