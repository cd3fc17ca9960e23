# SPDX-License-Identifier: Apache-2.0
"""JSON files that a user may have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_json(path: Path) -> Any:
    """What a JSON file holds. Raises ValueError naming the path when it is not JSON, OSError when there is no file."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"expected JSON in {path}, got {error}; correct the file") from error
