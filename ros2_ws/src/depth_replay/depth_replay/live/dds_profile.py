# SPDX-License-Identifier: Apache-2.0
"""The project's Fast DDS profile for images, put into the environment before a process starts DDS."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

# Fast DDS 2 (Humble, Jazzy) reads the second name, Fast DDS 3 the first; with the wrong one images are lost silently.
VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
_PROFILE = Path("config") / "fastdds.xml"


def find_profile() -> Path | None:
    """The profile of depth_bringup in a ROS workspace, in this Python's share folder or in the source checkout."""
    prefixes = [*filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)), sys.prefix]
    places = [Path(prefix) / "share" / "depth_bringup" for prefix in prefixes]
    places += [parent / "launch" for parent in Path(__file__).resolve().parents[4:6]]
    return next((place / _PROFILE for place in places if (place / _PROFILE).is_file()), None)


def use_profile(environment: MutableMapping[str, str]) -> str:
    """Name the profile in an environment that names none; returns the profile in use, "" when there is none."""
    given = next((environment[name] for name in VARIABLES if environment.get(name)), "")
    profile = given or str(find_profile() or "")
    if profile:
        environment.update(dict.fromkeys(VARIABLES, profile))
    return profile
