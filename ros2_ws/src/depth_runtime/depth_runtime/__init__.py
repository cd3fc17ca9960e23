# SPDX-License-Identifier: Apache-2.0
"""Torch-free runtime: the model contract, resize plan, stereo geometry, backends and pipelines.

`load` makes a network a function; the rest is imported from its modules.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .camera import StereoCamera
    from .front_door import Stereo, StereoPrediction, load

__all__ = ["Stereo", "StereoCamera", "StereoPrediction", "load"]

# Name -> module. Imported on use: the contract alone must not cost whoever reads it OpenCV and an inference library.
_HOMES = {"Stereo": "front_door", "StereoCamera": "camera", "StereoPrediction": "front_door", "load": "front_door"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
