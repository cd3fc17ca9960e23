# SPDX-License-Identifier: Apache-2.0
"""Image encoders."""

from .efficientnet_lite0 import EfficientNetLite0
from .resnet18 import ResNet18

__all__ = ["EfficientNetLite0", "ResNet18"]
