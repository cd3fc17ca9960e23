# SPDX-License-Identifier: Apache-2.0
"""Which sources made a network."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git_revision() -> str:
    """Revision of the sources, with "+changes" when they differ from it; "unknown" outside a checkout."""
    folder = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+changes", "--exclude=*"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
