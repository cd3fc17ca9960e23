# SPDX-License-Identifier: Apache-2.0
"""Renders the sample sequence: one street with traffic and people, as a plain sequence folder."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from depth_models.labels import LABELS
from depth_runtime.camera import StereoCamera
from depth_runtime.command_line import children_without_ctrl_c
from depth_runtime.files.sequence_folder import TrueFrame, write_frame, write_header
from tqdm import tqdm

from .procedural import make_texture
from .render import Renderer, StereoSample
from .scene import Scene
from .street import STREET_BANK, ego_path, street_scene
from .textures import TextureBank
from .world import CPU_TILE


@dataclass(frozen=True)
class SampleConfig:
    """What is rendered; focal_ratio times the width is the focal length."""

    frames: int = 80
    width: int = 640
    height: int = 384
    rate_hz: float = 10.0
    seed: int = 0
    focal_ratio: float = 0.8
    baseline_m: float = 0.42
    lens_blur_px: float = 0.7  # standard deviation of the blur of lens and sensor
    noise_levels: float = 0.5  # standard deviation of the camera noise in grey levels of 255

    @property
    def camera(self) -> StereoCamera:
        """The pin-hole cameras; rays pass through pixel centres, so the middle is at (width - 1) / 2."""
        focal = self.focal_ratio * self.width
        cx, cy = (self.width - 1) / 2, (self.height - 1) / 2
        return StereoCamera(focal, focal, cx, cx, cy, self.baseline_m, (self.height, self.width))

    def seconds(self) -> list[float]:
        """Time of each frame."""
        return [i / self.rate_hz for i in range(self.frames)]


class SampleRenderer:
    """Holds the street of a config and renders any of its frames."""

    def __init__(self, config: SampleConfig):
        self.config = config
        names = [name for name, count in STREET_BANK.items() for _ in range(count)]
        bank = TextureBank([make_texture(name, 1000 * config.seed + i) for i, name in enumerate(names)], names)
        self.scene: Scene = street_scene(bank, config.camera.fx, config.baseline_m, config.seed)
        self.renderer = Renderer(bank, config.height, config.width, tile=CPU_TILE)

    def sample(self, index: int) -> StereoSample:
        """Frame `index` without camera noise, as a batch of one."""
        seconds = torch.tensor(self.config.seconds()[index : index + 1])
        positions, rotations = ego_path(seconds)
        return next(self.renderer.sequence(self.scene, positions, rotations, seconds))

    def frame(self, index: int) -> TrueFrame:
        """Frame `index` as a camera delivers it, with blur and noise that depends on seed and index alone."""
        sample, rng = self.sample(index), np.random.default_rng([self.config.seed, index])
        left, right = (self._camera(image[0].permute(1, 2, 0).numpy(), rng) for image in (sample.left, sample.right))
        instance = sample.instance[0].numpy().astype(np.uint16)
        return TrueFrame(
            left, right, sample.disparity[0, 0].numpy(), sample.semantic[0].numpy().astype(np.uint8), instance
        )

    def _camera(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """float [H, W, 3] 0..255 -> uint8, blurred and with the same noise in all channels."""
        image = cv2.GaussianBlur(image, (0, 0), self.config.lens_blur_px)
        noise = self.config.noise_levels * rng.standard_normal((*image.shape[:2], 1), dtype=np.float32)
        return np.clip(np.round(image + noise), 0, 255).astype(np.uint8)


_renderer: SampleRenderer | None = None  # one per worker process


def _start_worker(config: SampleConfig) -> None:
    global _renderer
    torch.set_num_threads(1)  # tiles are small: processes scale, threads inside one do not
    _renderer = SampleRenderer(config)


def _render_frame(folder: Path, index: int) -> None:
    assert _renderer is not None
    write_frame(folder, index, _renderer.frame(index))


def render_sample(folder: Path, config: SampleConfig, processes: int) -> None:
    """Render the sequence of `config` into `folder` with so many processes."""
    write_header(folder, config.camera, LABELS, config.seconds())
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _start_worker, (config,)) as pool:
        with children_without_ctrl_c():
            jobs = [pool.submit(_render_frame, folder, frame) for frame in range(config.frames)]
        try:
            # Not as_completed: Ctrl-C while it holds the locks of all jobs would leave them locked for good.
            for job in tqdm(jobs, desc="street", unit="frame"):
                job.result()
        except KeyboardInterrupt:  # else the pool would wait for its frames
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise
