# SPDX-License-Identifier: Apache-2.0
"""Two image files of a rectified pair and their calibration -> a depth image and a coloured point cloud.

python docs/examples/two_images.py left.png right.png --fx 390 --cx 319.5 --cy 191.5 --baseline 0.12 --out out

writes out/depth.png (16 bit, millimetres, 0 = none) and out/points.ply (metres; x right, y down, z forward).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import depth_runtime as ds
import numpy as np
from depth_runtime.files.ply import write_ply
from depth_runtime.geometry import depth_millimetres, points_from_depth


def read_rgb(path: str) -> np.ndarray:
    """Image file as uint8 [H, W, 3] RGB; OpenCV reads BGR."""
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    if image is None:
        raise SystemExit(f"expected an image at {path}, got none")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("left", help="left image")
    parser.add_argument("right", help="right image")
    parser.add_argument("--fx", type=float, required=True, help="focal length, px")
    parser.add_argument("--fy", type=float, help="its vertical one, px (default: FX)")
    parser.add_argument("--cx", type=float, required=True, help="principal point of the left image, px")
    parser.add_argument("--cx-right", type=float, help="principal point of the right image, px (default: CX)")
    parser.add_argument("--cy", type=float, required=True, help="principal point of both, px")
    parser.add_argument("--baseline", type=float, required=True, help="distance of the cameras, m")
    parser.add_argument("--model", default="stereo_s", help="zoo name or ONNX file (default: stereo_s)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder to write (default: out)")
    args = parser.parse_args(argv)
    cx_right = args.cx if args.cx_right is None else args.cx_right
    camera = ds.StereoCamera(args.fx, args.fy or args.fx, args.cx, cx_right, args.cy, args.baseline)

    stereo = ds.load(args.model)
    left = read_rgb(args.left)
    depth_m = stereo(left, read_rgb(args.right)).depth_m(camera)

    args.out.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(args.out / "depth.png"), depth_millimetres(depth_m))
    count = write_ply(args.out / "points.ply", points_from_depth(depth_m, camera.left), left)
    print(f"{args.out}/depth.png, {args.out}/points.ply: {count} points, median depth {np.nanmedian(depth_m):.2f} m")


if __name__ == "__main__":
    main()
