# SPDX-License-Identifier: Apache-2.0
"""Facts that every test of the repository may rely on."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root folder of the checkout."""
    return Path(__file__).resolve().parents[1]
