# SPDX-License-Identifier: Apache-2.0
"""Training of the panoptic head over a frozen encoder, within a time budget, resumable."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from depth_models.blocks import double
from depth_models.panoptic.head import Panoptic
from depth_models.stereo import StereoPanoptic
from depth_runtime.metrics import confusion, mean_iou
from depth_runtime.spec import UNLABELLED
from torch import nn
from tqdm import tqdm

from ..panoptic.feature_replay import FeatureReplay, collate
from ..panoptic.frames import LabelledFrame
from ..panoptic.losses import class_weights, panoptic_losses
from .schedule import one_cycle

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SegmentationConfig:
    """Recipe; height and width are those of a training view in pixels, batch counts views per step.

    The first `batch_real` views of a batch have real labels, the rest synthetic ones.
    """

    minutes: float = 15.0
    height: int = 384
    width: int = 512
    batch_real: int = 5
    batch_synthetic: int = 3
    capacity: int = 600
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    seed: int = 0
    save_every_s: float = 60.0


class SegmentationTraining:
    """State of one run: head, optimiser, time used, sources of features."""

    def __init__(
        self,
        network: StereoPanoptic,
        real: Sequence[LabelledFrame],
        synthetic: Sequence[LabelledFrame] | None,
        config: SegmentationConfig,
    ) -> None:
        torch.manual_seed(config.seed)
        self.network, self.config = network.eval().requires_grad_(False), config
        self.head: nn.Module = network.panoptic.requires_grad_(True)
        self.head.to(memory_format=torch.channels_last)
        counts = [count_labels(frames, network.config.classes) for frames in (real, synthetic or ())]
        self.weights = class_weights(sum(c / max(1, c.sum()) for c in counts))
        self.optimiser = torch.optim.AdamW(
            self.head.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        self.step, self.used_s, self.skipped = 0, 0.0, 0
        size, self.rng = (config.height, config.width), np.random.default_rng(config.seed)
        self.sources = [(FeatureReplay(real, network, size, config.capacity, self.rng), config.batch_real)]
        if synthetic is not None:
            replay = FeatureReplay(synthetic, network, size, config.capacity, self.rng)
            self.sources.append((replay, config.batch_synthetic))

    def run(self, checkpoint: Path) -> None:
        """Train until the budget is used, saving the state to `checkpoint` every minute and at the end."""
        self._fill()
        self.head.train()
        budget_s = self.config.minutes * 60
        clock, saved = time.monotonic(), time.monotonic()
        with tqdm(total=round(budget_s), initial=round(self.used_s), unit="s", desc="train") as bar:
            while self.used_s < budget_s:
                losses = self._train_step(self.used_s / budget_s)
                now = time.monotonic()
                self.used_s, clock = self.used_s + now - clock, now
                bar.update(min(round(self.used_s), bar.total) - bar.n)
                if self.step % 20 == 0:
                    bar.set_postfix(step=self.step, skipped=self.skipped, **{k: f"{v:.3f}" for k, v in losses.items()})
                if now - saved > self.config.save_every_s:
                    self.save(checkpoint)
                    saved = now
        self.head.eval()
        self.save(checkpoint)

    def _fill(self) -> None:
        """Encode a first stock of views, so that early batches are varied."""
        for replay, batch in self.sources:
            for _ in tqdm(range(max(4 * batch, self.config.capacity // 4)), desc="encode", leave=False):
                replay.encode_one()

    def _train_step(self, progress: float) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * one_cycle(progress)
        # One new view per step keeps the memory fresh; the sources take turns by their share of the batch.
        turn = self.step % sum(batch for _, batch in self.sources)
        (self.sources[0] if turn < self.config.batch_real else self.sources[-1])[0].encode_one()
        pyramid, targets = collate([e for replay, batch in self.sources for e in replay.sample(batch)])
        with torch.autocast("cpu", torch.bfloat16):  # three times faster than FP32 on CPUs that have it
            answer = self.head(*pyramid)
        losses = panoptic_losses(Panoptic(*(x.float() for x in answer)), targets, self.weights)
        self.optimiser.zero_grad(set_to_none=True)
        sum(losses.values()).backward()
        norm = nn.utils.clip_grad_norm_(self.head.parameters(), 2.0)
        if norm.isfinite():  # BF16 on a CPU gives a broken batch now and then
            self.optimiser.step()
        else:
            self.skipped += 1
        self.step += 1
        return {name: value.item() for name, value in losses.items()}

    def save(self, path: Path) -> None:
        """Write everything that resuming needs, in one step. Raises FloatingPointError when training diverged."""
        if not all(value.isfinite().all() for value in self.head.state_dict().values()):
            raise FloatingPointError(f"expected finite weights at step {self.step}; resume from {path} with less rate")
        state = {
            "head": self.head.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "used_s": self.used_s,
            "random": self.rng.bit_generator.state,
        }
        torch.save(state, f"{path}.part")
        os.replace(f"{path}.part", path)

    def resume(self, path: Path) -> None:
        """Continue from a file of `save`."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.head.load_state_dict(state["head"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.used_s = state["step"], state["used_s"]
        self.rng.bit_generator.state = state["random"]
        log.info("resumed at step %d, %.1f min used", self.step, self.used_s / 60)


def count_labels(frames: Sequence[LabelledFrame], classes: int) -> np.ndarray:
    """Labelled pixels per class over all frames, int64 [classes]."""
    counts = np.zeros(classes, np.int64)
    for frame in tqdm((frames[i] for i in range(len(frames))), total=len(frames), desc="count", leave=False):
        counts += np.bincount(frame.semantic[frame.semantic != UNLABELLED], minlength=classes)[:classes]
    return counts


@torch.no_grad()
def segmentation_confusion(
    network: StereoPanoptic, frames: Sequence[LabelledFrame], height: int, width: int
) -> np.ndarray:
    """Confusion counts (depth_runtime.metrics) of the network's classes at the frames' own size.

    The frame is resized to height x width; classes come at half that size and are resized by the nearest
    neighbour, as the runtime does.
    """
    network.eval()
    classes = network.config.classes
    matrix = np.zeros((classes, classes + 1), np.int64)
    for frame in tqdm((frames[i] for i in range(len(frames))), total=len(frames), desc="validate"):
        image = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_LINEAR)
        tensor = torch.from_numpy(image).permute(2, 0, 1)[None].float()
        semantic = network.panoptic(*network.features.pyramid(tensor)).semantic
        ids = double(semantic).argmax(1)[0].numpy().astype(np.uint8)
        rows, columns = frame.semantic.shape
        ids = cv2.resize(ids, (columns, rows), interpolation=cv2.INTER_NEAREST)
        matrix += confusion(ids, frame.semantic, classes)
    log.info("mean IoU %.2f %%", mean_iou(matrix))
    return matrix
