# SPDX-License-Identifier: Apache-2.0
"""Networks of a single camera and their parts."""

from .mono_s import MonoS, MonoSConfig

__all__ = ["MonoS", "MonoSConfig"]
