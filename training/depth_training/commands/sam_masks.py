# SPDX-License-Identifier: Apache-2.0
"""Region images of left views by Segment Anything or MobileSAM, as usam_net learns from them.

FOLDER is a sequence folder (its left/ is read, its regions/ written) or a folder of images, or of folders of
images, whose names --out receives. What was made before from the same image, checkpoint and settings is kept, so a call
that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import multiprocessing
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from depth_runtime.command_line import children_without_ctrl_c, path_argument
from depth_runtime.files.images import images_below, read_rgb, write_png
from depth_runtime.files.reading import read_bytes
from tqdm import tqdm

from ..labelling.mask_generator import Masks, MaskSettings, checkpoint_digest, load_masks
from ..transforms.regions import ENCODING, region_image

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    default = MaskSettings()
    parser.add_argument(
        "folder", type=path_argument, metavar="FOLDER", help="sequence folder with left/, or folder of images"
    )
    parser.add_argument("--weights", type=path_argument, required=True, help="sam_vit_b, l or h .pth, or mobile_sam.pt")
    parser.add_argument(
        "--out", type=path_argument, help="folder to write (default: FOLDER/regions of a sequence folder)"
    )
    parser.add_argument("--points-per-side", type=int, default=default.points_per_side, help="prompts: its square")
    parser.add_argument("--points-per-batch", type=int, default=default.points_per_batch, help="prompts at once")
    parser.add_argument("--iou", type=float, default=default.pred_iou_thresh, help="least IoU that the network expects")
    parser.add_argument("--stability", type=float, default=default.stability_score_thresh, help="least stability")
    parser.add_argument("--processes", type=int, default=1, help="each loads the network")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of each process")


@dataclass(frozen=True)
class MaskJob:
    """One image to read, one to write, and the name of what is in it."""

    source: Path
    target: Path
    key: str

    @property
    def key_file(self) -> Path:
        """Says what the written image was made from."""
        return self.target.with_suffix(".key")

    def is_done(self) -> bool:
        """True when the written image was made from the same."""
        return self.target.is_file() and self.key_file.is_file() and self.key_file.read_text() == self.key


def run(arguments: argparse.Namespace) -> None:
    """Write what is missing. Raises ValueError for a missing or wrong checkpoint, and naming a broken image."""
    settings = MaskSettings(arguments.points_per_side, arguments.points_per_batch, arguments.iou, arguments.stability)
    source, target = folders(arguments.folder, arguments.out)
    origin = f"{checkpoint_digest(arguments.weights)} {asdict(settings)} {ENCODING}"
    images = images_below(source)
    jobs = [MaskJob(p, (target / p.relative_to(source)).with_suffix(".png"), _key(p, origin)) for p in images]
    waiting = [job for job in jobs if not job.is_done()]
    log.info("%d images, %d of them done before", len(jobs), len(jobs) - len(waiting))
    worker = (arguments.weights, settings, arguments.threads)
    done = _in_processes(waiting, worker, min(arguments.processes, len(waiting)))
    for _ in tqdm(done, total=len(waiting), desc="masks", unit="image"):
        pass


def folders(folder: Path, out: Path | None) -> tuple[Path, Path]:
    """Where images are read and written. Raises ValueError for plain images without --out."""
    if (folder / "left").is_dir():
        return folder / "left", out or folder / "regions"
    if out is None:
        raise ValueError(f"expected a folder left/ in {folder} or --out, got neither; say where to write")
    return folder, out


def _key(path: Path, origin: str) -> str:
    return hashlib.sha256(read_bytes(path) + origin.encode()).hexdigest()


def _in_processes(jobs: list[MaskJob], worker: tuple[Path, MaskSettings, int], count: int) -> Iterator[None]:
    if count < 1:
        return
    _start(*worker)  # also before a pool, which would start anew without end what cannot load its checkpoint
    if count == 1:
        yield from map(_paint, jobs)
        return
    with children_without_ctrl_c():  # spawned, since a forked process would have a broken CUDA context
        pool = multiprocessing.get_context("spawn").Pool(count, _start, worker)
    with pool:
        yield from pool.imap_unordered(_paint, jobs)


_masks: Masks


def _start(checkpoint: Path, settings: MaskSettings, threads: int) -> None:
    """Load this process's generator."""
    global _masks
    torch.set_num_threads(threads)
    _masks = load_masks(checkpoint, settings)


def _paint(job: MaskJob) -> None:
    """Write one region image in one step, then what it was made from."""
    image = read_rgb(job.source)
    write_png(job.target, region_image(image, _masks(image)))
    job.key_file.write_text(job.key)
