# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the replay tests: helpers by path, and a ROS domain that hears nobody else."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"depth_replay_test_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def sequences() -> ModuleType:
    """Makers of small folders of image pairs."""
    return _load("sequences")


@pytest.fixture
def own_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback only, and a domain of this test process."""
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    if "ROS_DOMAIN_ID" not in os.environ:
        monkeypatch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 99))
