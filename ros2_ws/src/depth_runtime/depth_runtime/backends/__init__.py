# SPDX-License-Identifier: Apache-2.0
"""Backends: one small protocol, so that an engine, a session or a classical matcher can stand behind a pipeline."""

from .base import Backend, BackendError
from .registry import available_backends, backend_names, make_backend

__all__ = ["Backend", "BackendError", "available_backends", "backend_names", "make_backend"]
