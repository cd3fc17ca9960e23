# SPDX-License-Identifier: Apache-2.0
"""What a run reports: lines of JSON and, where asked for, TensorBoard."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

log = logging.getLogger(__name__)


class TrainingLog:
    """Appends to OUT/log.jsonl, one object per report, and writes TensorBoard events into OUT/tensorboard.

    Does nothing when not `active` (all processes but the first). A report that cannot be written is lost, not the run.
    Raises ValueError when TensorBoard is asked for and not installed.
    """

    def __init__(self, folder: Path, tensorboard: bool, active: bool = True) -> None:
        self._file = (folder / "log.jsonl").open("a", encoding="utf-8") if active else None
        self._events = _event_writer(folder / "tensorboard") if active and tensorboard else None

    def scalars(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """Report numbers of one `kind` ("train", "validation") after `step` steps."""
        with _lost_when_full():
            if self._file:
                self._file.write(json.dumps({"kind": kind, "step": step, **values}) + "\n")
                self._file.flush()
            if self._events:
                for name, value in values.items():
                    self._events.add_scalar(f"{kind}/{name}", value, step)

    def image(self, name: str, step: int, image: np.ndarray) -> None:
        """Show uint8 [H, W, 3] RGB in TensorBoard."""
        with _lost_when_full():
            if self._events:
                self._events.add_image(name, image, step, dataformats="HWC")

    def close(self) -> None:
        """Write what is left."""
        for writer in (self._file, self._events):
            with _lost_when_full():
                if writer:
                    writer.close()


@contextmanager
def _lost_when_full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        log.warning("a report is lost: %s", error)


def _event_writer(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ValueError(
            "expected the package tensorboard, got none; run `pip install tensorboard` or set log.tensorboard=false"
        ) from error
    return SummaryWriter(folder)
