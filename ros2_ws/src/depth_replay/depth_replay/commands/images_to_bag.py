# SPDX-License-Identifier: Apache-2.0
"""Turn folders of rectified image pairs, with truth where there is some, into a rosbag2 bag."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from depth_runtime.command_line import path_argument
from depth_runtime.files.images import read_integers, read_pixels
from tqdm import tqdm

from ..bags.writer import BagWriter
from ..layouts import LAYOUTS, LayoutError, StampedFrame, StereoSequence, read_sequence
from ..messages import topics
from ..messages.calibration import camera_infos
from ..messages.definitions import STRING, TYPES, serialize
from ..messages.disparity_codec import disparity_message, quantised
from ..messages.image_codec import compress, header, image_message


@dataclass(frozen=True)
class ConvertOptions:
    """How images are written; truth_steps_per_px below 256 rounds the truth, to make it smaller."""

    compress: str = "jpeg"
    quality: int = 88
    frame_id: str = "left_camera_optical_frame"
    truth: str = "png"
    truth_steps_per_px: int = 256


def write_sequence(sequence: StereoSequence, writer: BagWriter, options: ConvertOptions) -> None:
    """Write every frame of a sequence: camera infos, both images and truth, all with the frame's stamp.

    Raises LayoutError when an image does not decode or has not the size that was expected.
    """
    if sequence.labels:
        writer.add_topic(topics.TRUTH_LABELS, STRING, latched=True)
        text = TYPES.types[STRING](data=json.dumps(sequence.labels))
        writer.write(topics.TRUTH_LABELS, sequence.frames[0].stamp_ns, serialize(text))
    for frame in tqdm(sequence.frames, desc="images-to-bag", unit="frame"):
        for topic, message in _frame_messages(frame, options):
            if not writer.has_topic(topic):
                writer.add_topic(topic, message.__msgtype__)
            writer.write(topic, frame.stamp_ns, serialize(message))


def _frame_messages(frame: StampedFrame, options: ConvertOptions) -> Iterator[tuple[str, Any]]:
    infos = camera_infos(frame.camera, frame.stamp_ns, options.frame_id)
    yield from zip((topics.LEFT_INFO, topics.RIGHT_INFO), infos, strict=True)
    for topic, path in ((topics.LEFT_IMAGE, frame.left), (topics.RIGHT_IMAGE, frame.right)):
        pixels = _checked(path, frame)
        colour = pixels.ndim == 3
        encoding = f"{'rgb' if colour else 'mono'}{8 * pixels.itemsize}"
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if colour else pixels
        # JPEG holds 8 bits: deeper images stay whole as PNG.
        kind = "png" if options.compress == "jpeg" and pixels.itemsize > 1 else options.compress
        yield _image(topic, pixels, encoding, frame, options, kind)
    truth_kind = "none" if options.truth == "raw" else "png"
    if frame.disparity is not None:
        yield _truth_disparity(frame.disparity, frame, options)
    if frame.semantic is not None:
        ids = _checked(frame.semantic, frame)
        yield _image(topics.TRUTH_SEMANTIC, ids, "mono8", frame, options, truth_kind)
    if frame.instance is not None:
        ids = _checked(frame.instance, frame).astype(np.uint16)
        yield _image(topics.TRUTH_INSTANCE, ids, "mono16", frame, options, truth_kind)


def _as_stored(path: Path) -> np.ndarray:
    """[H, W] or [H, W, 3] BGR, 8 or 16 bits."""
    pixels = read_pixels(path)
    return pixels[..., :3] if pixels.ndim == 3 else pixels


def _checked(path: Path, frame: StampedFrame, read: Callable[[Path], np.ndarray] = _as_stored) -> np.ndarray:
    """Pixels of a file, of the calibration's size."""
    pixels = read(path)
    expected = frame.camera.left.known_size()
    if pixels.shape[:2] != expected:
        raise LayoutError(
            f"expected an image of {expected[1]}x{expected[0]} (as the calibration and the frames before) at "
            f"{path}, got {pixels.shape[1]}x{pixels.shape[0]}; all images of a sequence need one size"
        )
    return pixels


def _image(
    topic: str, pixels: np.ndarray, encoding: str, frame: StampedFrame, options: ConvertOptions, kind: str
) -> tuple[str, Any]:
    message_header = header(frame.stamp_ns, options.frame_id)
    if kind == "none":
        return topic, image_message(pixels, encoding, message_header)
    return topics.compressed(topic), compress(pixels, encoding, kind, message_header, options.quality)


def _truth_disparity(path: Path, frame: StampedFrame, options: ConvertOptions) -> tuple[str, Any]:
    """Truth as a 16-bit PNG (pixels * 256, 0 = none) or as a DisparityImage."""
    stored = _checked(path, frame, partial(read_integers, dtype=np.uint16))
    stored = quantised(stored, options.truth_steps_per_px)
    if options.truth == "png":
        return _image(topics.TRUTH_DISPARITY, stored, "16UC1", frame, options, "png")
    message_header = header(frame.stamp_ns, options.frame_id)
    steps = options.truth_steps_per_px
    return topics.TRUTH_DISPARITY, disparity_message(stored, frame.camera, message_header, steps)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("source", type=path_argument, metavar="SOURCE", help="folder with the image pairs")
    parser.add_argument(
        "--out", type=path_argument, required=True, help="bag folder to make, or a single .mcap / .db3 file"
    )
    parser.add_argument("--layout", choices=["auto", *LAYOUTS], default="auto", help="how SOURCE is laid out")
    parser.add_argument("--storage", choices=["mcap", "sqlite3"], default="mcap", help="storage of a bag folder")
    parser.add_argument("--rate", type=float, metavar="HZ", help="fixed frame rate instead of the recorded times")
    parser.add_argument(
        "--compress", choices=["jpeg", "png", "none"], default="jpeg", help="camera images (16-bit ones never as JPEG)"
    )
    parser.add_argument("--quality", type=int, default=ConvertOptions.quality, metavar="N", help="JPEG quality")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N frames")
    parser.add_argument("--frame-id", default=ConvertOptions.frame_id, help="frame of all messages")
    parser.add_argument(
        "--truth", choices=["png", "raw"], default="png", help="truth as 16-bit PNG or as DisparityImage and Image"
    )
    parser.add_argument(
        "--truth-steps-per-px",
        type=int,
        default=256,
        metavar="N",
        help="round the true disparity to 1/N px (a divisor of 256); 64 makes bags smaller",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing bag")


def run(arguments: argparse.Namespace) -> None:
    """Convert a folder and say what was written."""
    if not (arguments.rate is None or arguments.rate > 0):
        raise LayoutError(f"expected --rate > 0 Hz, got {arguments.rate}")
    sequence = read_sequence(arguments.source, arguments.layout, arguments.rate)
    frames = sequence.frames[: arguments.limit]
    if not frames:
        raise LayoutError(f"expected --limit of at least one frame, got {arguments.limit}")
    sequence = StereoSequence(sequence.layout, frames, sequence.labels)
    options = ConvertOptions(
        arguments.compress, arguments.quality, arguments.frame_id, arguments.truth, arguments.truth_steps_per_px
    )
    with BagWriter(arguments.out, arguments.storage, overwrite=arguments.overwrite) as writer:
        write_sequence(sequence, writer, options)
    size = sum(p.stat().st_size for p in ([arguments.out] if arguments.out.is_file() else arguments.out.iterdir()))
    print(f"{arguments.out}: {len(frames)} frames ({sequence.layout}), {writer.count} messages, {size / 1e6:.2f} MB")
