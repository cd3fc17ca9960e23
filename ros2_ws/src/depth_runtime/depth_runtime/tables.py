# SPDX-License-Identifier: Apache-2.0
"""Figures for the screen (plain text), for documents (Markdown) and for files (JSON)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any


def plain_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their longest cell, the first one flush left, the others right."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = [
        "  ".join(cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(_with(row, widths)))
        for row in cells
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def _with(row: Sequence[str], widths: Sequence[int]) -> Iterable[tuple[str, int]]:
    return zip(row, widths, strict=True)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], text_columns: Iterable[int] = (0,)) -> str:
    """A Markdown table; columns that are not named in text_columns hold numbers and are set to the right."""
    text = set(text_columns)
    rule = ["---" if i in text else "--:" for i in range(len(header))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


def number(value: float, digits: int) -> str:
    """The value with so many digits after the point, nothing for NaN."""
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def json_ready(value: Any) -> Any:
    """The same data with NaN and infinity as null, which JSON does not have."""
    if isinstance(value, dict):
        return {key: json_ready(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_ready(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def json_text(value: Any, indent: int = 2) -> str:
    """JSON with NaN and infinity as null, ended by a line break."""
    return json.dumps(json_ready(value), indent=indent, allow_nan=False) + "\n"
