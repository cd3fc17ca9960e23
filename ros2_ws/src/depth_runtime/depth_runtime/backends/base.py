# SPDX-License-Identifier: Apache-2.0
"""What a pipeline asks of whatever computes its maps."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

import numpy as np

from ..errors import UserError
from ..spec import ModelSpec


class BackendError(UserError):
    """A backend could not be started or could not compute; the message says what to do."""


def check_names(spec: ModelSpec, inputs: Collection[str], outputs: Collection[str], path: Path) -> None:
    """Raise BackendError when a graph's inputs or outputs are not those that its spec names, in whatever order."""
    if sorted(inputs) != sorted(spec.inputs) or sorted(outputs) != sorted(spec.outputs):
        raise BackendError(
            f"expected inputs {sorted(spec.inputs)} and outputs {sorted(spec.outputs)} as its spec says, "
            f"got {sorted(inputs)} and {sorted(outputs)} in {path}; export the network again"
        )


class Backend(Protocol):
    """Computes the spec's outputs for one size at a time, in memory that it owns.

    `name` is what runs (e.g. "onnxruntime-cpu"), `device` is a human-readable place. `fallback_reason` is empty unless
    something slower runs than was asked for.
    """

    name: str
    device: str
    fallback_reason: str
    spec: ModelSpec

    def prepare(self, size: tuple[int, int]) -> dict[str, np.ndarray]:
        """Allocate for inputs of size (height, width) and return the input buffers by name, uint8 [1, H, W, 3] RGB.

        The caller writes into these buffers. Called again only when the size changes.
        """

    def infer(self, outputs: Collection[str]) -> dict[str, np.ndarray]:
        """Compute the named outputs from the input buffers.

        Returned arrays live until the next call. Outputs that are not asked for cost nothing.
        """
