# SPDX-License-Identifier: Apache-2.0
"""Panoptic heads."""

from .head import PanopticHead

__all__ = ["PanopticHead"]
