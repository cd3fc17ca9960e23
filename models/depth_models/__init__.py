# SPDX-License-Identifier: Apache-2.0
"""Networks in torch. `build(name)` makes one; importing this package registers them all."""

from . import mono, stereo
from .cost import Cost, count_cost
from .labels import LABELS
from .network import MonoNetwork, Network, StereoNetwork, network_spec, published_maps
from .registry import build, names, register
from .revision import git_revision
from .weights import average_weights, load_weights, save_weights, without_folders

__all__ = [
    "LABELS",
    "Cost",
    "MonoNetwork",
    "Network",
    "StereoNetwork",
    "average_weights",
    "build",
    "count_cost",
    "git_revision",
    "load_weights",
    "mono",
    "names",
    "network_spec",
    "published_maps",
    "register",
    "save_weights",
    "stereo",
    "without_folders",
]
