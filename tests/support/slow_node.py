# SPDX-License-Identifier: Apache-2.0
"""The stereo node with a backend that takes its time: `python slow_node.py FOLDER --ros-args ...`.

FOLDER/hold holds the seconds that an inference takes; it is read again all the time, so writing 0 releases the frame
in work, and inf holds it for ever. FOLDER/journal gets a line "enter N" and "leave N" for each inference, N = those
under way in this backend then.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from depth_nodes.network import LoadedNetwork
from depth_nodes.run import run
from depth_nodes.stereo_node import StereoNode


class SlowBackend:
    """A backend around another one, whose every inference takes as long as the file says."""

    def __init__(self, inner: Any, folder: Path) -> None:
        self._inner, self._folder = inner, folder
        self._lock = threading.Lock()
        self._inside = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _note(self, word: str, change: int) -> None:
        with self._lock:
            count = self._inside + max(change, 0)
            self._inside += change
            with open(self._folder / "journal", "a") as journal:
                journal.write(f"{word} {count}\n")

    def infer(self, outputs: Collection[str]) -> dict[str, np.ndarray]:
        self._note("enter", 1)
        began = time.monotonic()
        while time.monotonic() - began < float((self._folder / "hold").read_text() or 0):
            time.sleep(0.01)
        outputs_now = self._inner.infer(outputs)
        self._note("leave", -1)
        return outputs_now


class SlowNode(StereoNode):
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        super().__init__()

    def load(self) -> LoadedNetwork:
        network = super().load()
        network.backend = network.pipeline.backend = SlowBackend(network.backend, self._folder)
        return network


if __name__ == "__main__":
    raise SystemExit(run(lambda: SlowNode(Path(sys.argv[1]))))
