# SPDX-License-Identifier: Apache-2.0
"""Image encoders."""

from .efficientnet_lite0 import EfficientNetLite0

__all__ = ["EfficientNetLite0"]
