# SPDX-License-Identifier: Apache-2.0
"""Contents of files, with errors that name the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises ValueError naming the path when there is no such file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"expected the file {path}, got none ({error.strerror}); check the folder") from error


def read_text(path: Path) -> str:
    """The file's text. Raises ValueError naming the path when there is no such file or it is not text."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"expected text in {path}, got other bytes ({error.reason}); copy the file again") from error


def read_json(path: Path) -> Any:
    """The content of a JSON file. Raises ValueError naming the path for a missing file or other text."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"expected JSON in {path}, got text that does not parse: {error}; correct it") from error
