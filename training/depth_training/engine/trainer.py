# SPDX-License-Identifier: Apache-2.0
"""The training loop: any network and objective, resumable to the bit, within a time box, in one process or many."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..batches.stereo_batch import BatchSource, StereoBatch
from ..core.distributed import Processes, mean_over_processes
from .checkpoint import read_checkpoint, require_same_recipe, write_checkpoint
from .config import TrainConfig
from .ema import Ema
from .network_setup import (
    check_sizes,
    make_optimiser,
    on_device,
    set_training_mode,
    starting_metadata,
    starting_network,
)
from .schedule import one_cycle
from .stop_signals import StopSignals
from .training_log import TrainingLog
from .turns import Turns
from .validation import CLASS_FIGURE, prediction_panel, validation_scores

log = logging.getLogger(__name__)
FEWEST_STEPS = 20  # without a gradient: BF16 breaks single batches
_BAR = "{desc} {percentage:5.1f} %|{bar}| {elapsed}<{remaining}{postfix}"


class Trainer:
    """State of one run: network, averaged network, optimiser, steps and time used, place in the data."""

    def __init__(
        self, config: TrainConfig, source: BatchSource, processes: Processes, unlabelled: BatchSource | None = None
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.processes = config, processes
        self.turns = Turns(config, source, unlabelled)
        self.started_from = starting_metadata(config.network)
        self.network = on_device(starting_network(config.network), config.optimiser, processes)
        check_sizes(config, self.network.size_multiple)
        set_training_mode(self.network, config.optimiser.batch_norm)
        processes.start_alike(self.network)
        self.ema = Ema(self.network, config.optimiser.ema_decay)
        trained = bool(config.network.backbone_weights or config.network.start_weights)
        self.optimiser = make_optimiser(self.network, config.optimiser, trained)
        self.step, self.used_s, self.scores = 0, 0.0, {}
        self.skipped = torch.zeros((), device=processes.device)
        self._idle, self._steps_of_call = torch.zeros((), device=processes.device), 0
        self._latest: dict[str, dict[str, Tensor]] = {}
        self._closing_s = 0.0  # what the last scores took
        self.stopped_by = ""  # name of the signal that ended `run`

    @property
    def progress(self) -> float:
        """Fraction of the schedule that is done, 0..1."""
        schedule = self.config.schedule
        return min(1.0, self.step / schedule.steps if schedule.steps else self.used_s / (60 * schedule.minutes))

    def autocast(self) -> AbstractContextManager:
        """BF16 where the recipe or the device asks for it."""
        kind, wanted = self.processes.device.type, self.config.precision
        native = kind == "cuda" and torch.cuda.is_bf16_supported()
        return torch.autocast(kind, torch.bfloat16, enabled=native if wanted == "auto" else wanted == "bfloat16")

    def train_step(self) -> dict[str, Tensor]:
        """One batch, one update; the losses of the batch, 0-dimensional, and the gradient's norm."""
        self._set_rate()
        turn = self.turns.at(self.step, self.progress)
        batch = turn.source.next_batch()
        with self.autocast():
            prediction = batch.predict_with(self.network, turn.objective.predictions)
        losses = turn.objective(self.network, prediction, batch)
        self.optimiser.zero_grad(set_to_none=True)
        total = turn.weight * sum(losses.values())
        total.backward()
        self.processes.join_gradients(self.network)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.optimiser.clip_norm).detach()
        self._update(norm)
        self.ema.update(self.network, self.step)
        self.step += 1
        self._latest[turn.name] = {"loss": total, **losses, "gradient": norm}
        self._latest[turn.name] = {name: value.detach() for name, value in self._latest[turn.name].items()}
        return self._latest[turn.name]

    def _set_rate(self) -> None:
        schedule = self.config.schedule
        rate = self.config.optimiser.learning_rate * one_cycle(self.progress, schedule.warm_up, schedule.final)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["fraction"]

    def _update(self, norm: Tensor) -> None:
        """Optimiser step, left out when the gradient is not finite (BF16 breaks a batch now and then)."""
        broken = (~norm.isfinite()).float()
        self.skipped += broken
        self._idle += torch.maximum(broken, (norm == 0).float())
        self._steps_of_call += 1
        if norm.is_cuda:  # the fused optimiser leaves the step out itself; reading the norm here would stall the GPU
            self.optimiser.found_inf = broken
            self.optimiser.step()
        elif not broken:
            self.optimiser.step()

    def run(self, folder: Path, validation: Sequence[StereoBatch], box_end: float = float("inf")) -> bool:
        """Train until the schedule is done (True), or (False) until the box ends or a signal asks for the end.

        Saves in every case; after a signal without new scores. box_end: of time.monotonic(), scores included. Raises
        ValueError, and saves nothing, when no step had a gradient to learn from.
        """
        report = TrainingLog(folder, self.config.log.tensorboard, self.processes.is_first)
        if self.step == 0 and validation:
            self.processes.tell("scoring the starting weights on %d validation batches", len(validation))
        with StopSignals() as signals:
            if self.step == 0:
                self.evaluate(report, validation)
            self.processes.tell("training from step %d on", self.step)
            bar = tqdm(total=100, unit="%", desc="train", disable=not self.processes.is_first, bar_format=_BAR)
            self._train(folder, validation, report, bar, lambda: bool(signals.caught) or self._box_is_over(box_end))
            bar.close()
            self._require_gradients()
            if not self.processes.largest(float(bool(signals.caught))):
                self.evaluate(report, validation)
            self.save(folder / "last.pt")
        self.stopped_by = signals.caught
        report.close()
        return self.progress >= 1

    def _train(
        self, folder: Path, validation: Sequence[StereoBatch], report: TrainingLog, bar: tqdm, stop: Callable[[], bool]
    ) -> None:
        """Steps, reports and, every log.evaluate_minutes, scores and a checkpoint, until `stop()` in any process."""
        clock = time.monotonic()
        next_evaluation_s = self.used_s + 60 * self.config.log.evaluate_minutes
        stopped = False
        while self.progress < 1 and not stopped:
            self.train_step()
            now = time.monotonic()
            self.used_s, clock = self.processes.of_first(self.used_s + now - clock), now
            stopped = self.processes.largest(float(stop())) > 0
            if self.step % self.config.log.every_steps == 0:
                self._report(report, bar)
            if self.used_s > next_evaluation_s and not stopped:
                next_evaluation_s = self.used_s + 60 * self.config.log.evaluate_minutes
                self._evaluate_and_save(folder, validation, report)
            bar.update(round(100 * self.progress, 1) - bar.n)

    def _require_gradients(self) -> None:
        """Raise ValueError when no step of this call has changed anything."""
        if self._steps_of_call and self._idle.item() == self._steps_of_call:
            raise ValueError(
                f"expected a finite gradient above 0 in some step, got none in {self._steps_of_call}; check the truth "
                "that the data sections hold, loss.max_disparity_px and network.frozen, or train with a lower rate"
            )

    def _box_is_over(self, box_end: float) -> bool:
        """True when no more fits into the time box than the last scores and checkpoint."""
        return time.monotonic() + self._closing_s > box_end

    def _evaluate_and_save(self, folder: Path, validation: Sequence[StereoBatch], report: TrainingLog) -> None:
        self.evaluate(report, validation)
        try:
            self.save(folder / "last.pt")
        except OSError as error:  # the run can go on, and there may be room again before its end
            log.warning("no checkpoint at step %d: %s", self.step, error)

    def _report(self, report: TrainingLog, bar: tqdm) -> None:
        """Latest losses of each turn as means over all processes; this is where the device is waited for."""
        rate = self.optimiser.param_groups[0]["lr"]
        if self._steps_of_call >= FEWEST_STEPS:
            self._require_gradients()
        rest = {"minutes": self.used_s / 60, "learning_rate": rate, "skipped": self.skipped.item()}
        for turn, losses in self._latest.items():
            means = mean_over_processes(torch.stack(list(losses.values())))
            values = dict(zip(losses, means.tolist(), strict=True))
            bar.set_postfix(step=self.step, loss=f"{values['loss']:.3f}")
            report.scalars(turn, self.step, values | rest)
        self._latest.clear()

    def evaluate(self, report: TrainingLog, validation: Sequence[StereoBatch]) -> None:
        """Keep and report the scores of the averaged network on validation batches, where there are any."""
        if not validation:
            return
        start = time.monotonic()
        network, objective = self.ema.network, self.turns.labelled.objective
        self.scores = scores = validation_scores(network, validation, objective, self.autocast())
        report.scalars("validation", self.step, scores)
        panel = prediction_panel(network, validation[0], objective, self.config.log.panels, self.autocast())
        report.image("left, truth, prediction, confidence", self.step, panel)
        figures = [f"{name} {value:.3f}" for name, value in scores.items() if not name.startswith(CLASS_FIGURE)]
        self.processes.tell("step %d: validation %s", self.step, ", ".join(figures))
        self._closing_s = time.monotonic() - start

    def save(self, path: Path) -> None:
        """Write a checkpoint (first process only) from which `resume` gives the same next loss."""
        if not self.processes.is_first:
            return
        on_gpu = self.processes.device.type == "cuda"
        state = {
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "used_s": self.used_s,
            "skipped": self.skipped.item(),
            "closing_s": self._closing_s,
            "positions": self.turns.positions,
            "random": torch.get_rng_state(),
            "random_gpu": torch.cuda.get_rng_state() if on_gpu else None,
        }
        write_checkpoint(path, self.network, self.ema.state(), asdict(self.config), state)

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint. Raises ValueError when it was made by another recipe."""
        data = read_checkpoint(path)
        require_same_recipe(path, data["recipe"], asdict(self.config))
        state = data["state"]
        self.network.load_state_dict(data["weights"])
        self.ema.network.load_state_dict(data["ema"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.used_s, self.turns.positions = state["step"], state["used_s"], state["positions"]
        self.skipped.fill_(state["skipped"])
        self._closing_s = state["closing_s"]
        torch.set_rng_state(state["random"])
        if state["random_gpu"] is not None and self.processes.device.type == "cuda":
            torch.cuda.set_rng_state(state["random_gpu"])
        self.processes.tell("resumed at step %d, %.1f min used", self.step, self.used_s / 60)
