# SPDX-License-Identifier: Apache-2.0
"""Batches of any map-style data set: views of one size, in a random order that a resumed run continues."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from depth_models.labels import SKY
from depth_runtime.spec import UNLABELLED

from ..data import Dataset, Sample
from ..transforms.augment import augment_stereo
from ..transforms.geometry import random_window
from .config import DataConfig
from .stereo_batch import StereoBatch


class DatasetSource:
    """Random views of stereo samples, augmented or just cropped, one batch ahead in threads.

    Each process reads its own part of the batch.

    The order is a new permutation in each pass over the data set; order and views follow from (seed, stream, place in
    the sequence), so they depend neither on the number of processes nor on where a run was resumed. Sources of one run
    differ in `stream`.
    """

    def __init__(
        self,
        dataset: Dataset,
        data: DataConfig,
        seed: int,
        device: torch.device,
        rank: int = 0,
        count: int = 1,
        stream: int = 0,
    ) -> None:
        if data.batch % count:
            raise ValueError(
                f"expected batches in multiples of the {count} processes, got {data.batch} pairs; change the batch of "
                "[data], [[mix]] or [unlabelled]"
            )
        self.position = 0
        self._dataset, self._data, self._key, self._device = dataset, data, (seed, stream), device
        part = data.batch // count
        self._places = range(rank * part, (rank + 1) * part)
        self._threads = ThreadPoolExecutor(data.threads)
        self._ahead: dict[int, list[Future[Sample]]] = {}

    def next_batch(self) -> StereoBatch:
        """This process's part of the batch at `position`."""
        ready = self._ahead.pop(self.position, None) or self._submit(self.position)
        self.position += 1
        self._ahead = {self.position: self._submit(self.position)}
        return collate_samples([view.result() for view in ready], self._device)

    def _submit(self, position: int) -> list[Future[Sample]]:
        first = position * self._data.batch
        return [self._threads.submit(self._view, first + place) for place in self._places]

    def _view(self, place: int) -> Sample:
        turn, index = divmod(place, len(self._dataset))
        order = np.random.default_rng((*self._key, turn)).permutation(len(self._dataset))
        rng = np.random.default_rng((*self._key, turn, index))
        return random_view(self._dataset[int(order[index])], self._data, rng)


def random_view(sample: Sample, data: DataConfig, rng: np.random.Generator) -> Sample:
    """A random view of data.height x data.width of a pair, augmented or just cropped. Raises ValueError as those do."""
    view = augment_stereo if data.augmented else random_window
    return view(sample, data.height, data.width, rng)


def collate_samples(samples: list[Sample], device: torch.device) -> StereoBatch:
    """Samples of one size as a batch; maps that a sample lacks become unknown.

    Sky without disparity gets 0, and without depth infinity: files say 0 for "unknown" and so lose it, and a network
    that never met truth there takes the sky for an obstacle.
    """

    def stack(name: str, unknown: float, dtype: type) -> torch.Tensor:
        return _stacked([getattr(s, name) for s in samples], samples[0].left.shape[:2], unknown, dtype)

    def images(name: str) -> torch.Tensor | None:
        """None when no sample has this image, NaN for each that lacks it."""
        pictures = [getattr(s, name) for s in samples]
        if all(picture is None for picture in pictures):
            return None
        unknown = np.full(samples[0].left.shape, np.nan, np.float32)
        stacked = np.stack([unknown if picture is None else picture for picture in pictures])
        return torch.from_numpy(stacked).permute(0, 3, 1, 2).float()

    instances = [s.instance is not None for s in samples]
    semantic = stack("semantic", UNLABELLED, np.int64)
    disparity_px = stack("disparity_px", np.nan, np.float32)
    disparity_px[disparity_px.isnan() & (semantic == SKY)] = 0
    batch = StereoBatch(
        left=images("left"),
        right=images("right"),
        disparity_px=disparity_px[:, None],
        occluded=stack("occluded", np.nan, np.float32)[:, None],
        semantic=semantic,
        instance=stack("instance", 0, np.int64),
        has_instances=torch.tensor(instances),
        regions=images("regions"),
        **_metric(samples, semantic),
    )
    return batch.to(device)


def _metric(samples: list[Sample], semantic: torch.Tensor) -> dict[str, torch.Tensor]:
    """depth_m and focal_px of a batch; nothing where no sample knows its camera.

    Views may have been stretched: the focal length is then the geometric mean of both axes, since neither the width nor
    the height of things tells their distance alone.
    """
    cameras = [sample.camera for sample in samples]
    if not any(cameras):
        return {}
    focal_px = [np.nan if camera is None else np.sqrt(camera.fx * camera.fy) for camera in cameras]
    shape = samples[0].left.shape[:2]
    depth_m = _stacked([_depth_m(sample) for sample in samples], shape, np.nan, np.float32)
    depth_m[depth_m.isnan() & (semantic == SKY)] = torch.inf
    return {"depth_m": depth_m[:, None], "focal_px": torch.tensor(focal_px, dtype=torch.float32)}


def _depth_m(sample: Sample) -> np.ndarray | None:
    """True depth, else that of the true disparity, infinite where nothing is left of it."""
    if sample.depth_m is not None or sample.disparity_px is None:
        return sample.depth_m
    return sample.depth_of(sample.disparity_px)


def _stacked(maps: list[np.ndarray | None], shape: tuple[int, int], unknown: float, dtype: type) -> torch.Tensor:
    """[B, H, W] of maps of this shape, `unknown` where there is none."""
    return torch.from_numpy(np.stack([np.full(shape, unknown, dtype) if m is None else m.astype(dtype) for m in maps]))
