# SPDX-License-Identifier: Apache-2.0
"""Stereo networks and their parts."""

from .dispnet import DispNet, DispNetConfig
from .hnet import HNet, HNetConfig
from .stereo_panoptic import StereoPanoptic, StereoPanopticConfig
from .stereo_xs import StereoXs, StereoXsConfig
from .usam_net import UsamNet, UsamNetConfig

__all__ = [
    "DispNet",
    "DispNetConfig",
    "HNet",
    "HNetConfig",
    "StereoPanoptic",
    "StereoPanopticConfig",
    "StereoXs",
    "StereoXsConfig",
    "UsamNet",
    "UsamNetConfig",
]
