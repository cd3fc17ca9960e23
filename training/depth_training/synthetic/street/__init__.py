# SPDX-License-Identifier: Apache-2.0
"""One composed street with traffic and people, for the sample sequence."""

from .scene import STREET_BANK, ego_path, street_scene

__all__ = ["STREET_BANK", "ego_path", "street_scene"]
