# SPDX-License-Identifier: Apache-2.0
"""Stereo networks and their parts."""

from .stereo_panoptic import StereoPanoptic, StereoPanopticConfig

__all__ = ["StereoPanoptic", "StereoPanopticConfig"]
