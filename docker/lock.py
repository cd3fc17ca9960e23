#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write docker/requirements/*.txt: every Python package of an image that apt does not bring, with version and hashes.

    python docker/lock.py [cpu cuda jetson jetson6]

pip resolves for the image's Python and platform and downloads nothing but metadata. The images then install with
--no-deps --require-hashes, so what was locked is what runs. NumPy is resolved at the version that the image has and,
but for jetson6, left out: apt's OpenCV is built against apt's NumPy, and a second one would break it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "requirements"
BAGS = ("mcap==1.6.0", "rosbags==0.11.9")
HEADER = "# Written by docker/lock.py for Python {python} on {machine} (glibc {glibc} or newer); do not edit.\n"


@dataclass(frozen=True)
class Image:
    """What one image adds to its base. numpy: the base's version; glibc: the minor of its version 2.x."""

    machine: str
    python: str
    glibc: int
    numpy: str
    wanted: tuple[str, ...]
    left_out: tuple[str, ...] = ("numpy",)


IMAGES = {
    "cpu": Image("x86_64", "3.12", 39, "1.26.4", ("onnxruntime==1.32.0", *BAGS)),
    "cuda": Image(
        "x86_64", "3.12", 39, "1.26.4", ("onnxruntime-gpu[cuda,cudnn]==1.31.1", "cuda-python==13.0.3", *BAGS)
    ),
    "jetson": Image(
        "aarch64", "3.12", 39, "1.26.4", ("onnxruntime-gpu[cuda,cudnn]==1.31.1", "cuda-python==13.0.3", *BAGS)
    ),
    # Ubuntu 22.04 has NumPy 1.21.5, which no ONNX Runtime of today takes; extensions made for it run with 1.26.
    "jetson6": Image(
        "aarch64", "3.10", 35, "1.26.4", ("onnxruntime==1.23.2", "cuda-python==12.6.2.post1", *BAGS), left_out=()
    ),
}


def resolve(image: Image) -> list[dict]:
    """Entries of pip's installation report."""
    platforms = [f"manylinux_2_{minor}_{image.machine}" for minor in range(image.glibc, 4, -1)]
    command = [sys.executable, "-m", "pip", "install", "-q", "--dry-run", "--ignore-installed", "--only-binary=:all:"]
    command += ["--implementation", "cp", "--python-version", image.python]
    command += [f"--platform={name}" for name in platforms]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command += ["--target", folder, "--report", str(report), *image.wanted, f"numpy=={image.numpy}"]
        subprocess.run(command, check=True)
        return json.loads(report.read_text())["install"]


def lock(image: Image) -> str:
    """Text of a requirements file."""
    lines = []
    for entry in resolve(image):
        name, version = entry["metadata"]["name"].lower(), entry["metadata"]["version"]
        if name not in image.left_out:
            digest = entry["download_info"]["archive_info"]["hashes"]["sha256"]
            lines.append(f"{name}=={version} --hash=sha256:{digest}\n")
    header = HEADER.format(python=image.python, machine=image.machine, glibc=f"2.{image.glibc}")
    return header + "".join(sorted(lines))


def main() -> None:
    """Write the files that were asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="*", metavar="IMAGE", help=f"among {', '.join(IMAGES)} (default: all)")
    chosen = parser.parse_args().images or list(IMAGES)
    if unknown := set(chosen) - set(IMAGES):
        parser.error(f"expected images among {', '.join(IMAGES)}, got {', '.join(sorted(unknown))}")
    for name in chosen:
        (FOLDER / f"{name}.txt").write_text(lock(IMAGES[name]), encoding="utf-8")


if __name__ == "__main__":
    main()
