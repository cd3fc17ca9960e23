# SPDX-License-Identifier: Apache-2.0
"""Facts that every test of the repository may rely on."""

import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root folder of the checkout."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def checkout_files(repository) -> list[str]:
    """Every file of the checkout that git knows or would add, relative to its root. Skips outside of a checkout."""
    if not (repository / ".git").exists():
        pytest.skip("not a git checkout, so the files of the project are not known")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout.split("\0")
    return [name for name in names if (repository / name).is_file()]
