# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of published figures into README.md and docs/ from docs/results/data/*.json.

    python docs/tools/make_tables.py            # rewrite
    python docs/tools/make_tables.py --check    # exit code 1 and the names of files that are not current

A page marks what is written here by `<!-- table: FILE.TABLE -->` ... `<!-- /table -->`, and `<!-- run: FILE -->` ...
`<!-- /run -->` for the commands, hardware, date and seed of a file. docs/results/index.md describes the JSON files.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "docs" / "results" / "data"
REGION = re.compile(r"(<!-- (table|run): ([\w.]+) -->\n).*?(<!-- /\2 -->)", re.DOTALL)
PROVENANCE = ("date", "hardware", "command", "seed")


def read_runs(folder: Path = DATA) -> dict[str, dict[str, Any]]:
    """Every data file by its name without suffix.

    Raises ValueError that names the file where date, hardware, command or seed is missing, or a row has another
    number of cells than the table has columns.
    """
    runs = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    for name, run in runs.items():
        missing = [key for key in PROVENANCE if key not in run or run[key] in ("", [])]
        if missing:
            raise ValueError(f"expected {list(PROVENANCE)} in {name}.json, but {missing} is missing; say what was run")
        for table, content in run["tables"].items():
            for row in content["rows"]:
                if len(row) != len(content["columns"]):
                    raise ValueError(
                        f"expected {len(content['columns'])} cells in {name}.{table}, got {row}; add or cut"
                    )
    return runs


def values(runs: dict[str, dict[str, Any]]) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """What a cell such as `{speed[cost][stereo_s][ratio]:.1f}` refers to: file, table, row and column.

    A row's name is its first cell, or its first `keys` cells joined by a slash.
    """
    return {
        name: {
            table: {
                "/".join(map(str, row[: content.get("keys", 1)])): {
                    column.get("name", column["title"]): cell
                    for column, cell in zip(content["columns"], row, strict=True)
                }
                for row in content["rows"]
            }
            for table, content in run["tables"].items()
        }
        for name, run in runs.items()
    }


def cell_text(cell: float | str | None, column: dict[str, Any], references: dict[str, Any]) -> str:
    """A number with the column's digits, a text with its references filled in, nothing for null."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.format_map(references)
    return f"{cell:{'+' if column.get('sign') else ''}.{column['digits']}f}"


def table_text(content: dict[str, Any], references: dict[str, Any]) -> str:
    """The markdown table; in the first `blank_repeats` columns a cell equal to the one above it is left empty."""
    columns = content["columns"]
    lines = [[column["title"] for column in columns]]
    lines.append(["---" if column.get("align") == "left" else "--:" for column in columns])
    above: list[str] = []
    for row in content["rows"]:
        cells = [cell_text(cell, column, references) for cell, column in zip(row, columns, strict=True)]
        shown = list(cells)
        for i in range(content.get("blank_repeats", 0)):
            if above and cells[: i + 1] == above[: i + 1]:
                shown[i] = ""
        lines.append(shown)
        above = cells
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |") for line in lines)


def run_text(run: dict[str, Any]) -> str:
    """The commands of a file as a code block, then its date, hardware and seed."""
    seed = "no seed involved" if run["seed"] is None else f"seed {run['seed']}"
    commands = "\n".join(run["command"])
    origin = textwrap.fill(f"{run['date']}; {run['hardware']}; {seed}.", 120, break_on_hyphens=False)
    return f"```\n{commands}\n```\n\n{origin}\n"


def rewritten(text: str, runs: dict[str, dict[str, Any]]) -> str:
    """`text` with every marked region made anew; KeyError for a table that no file has."""
    references = values(runs)

    def region(match: re.Match[str]) -> str:
        begin, kind, name, end = match.groups()
        if kind == "run":
            return begin + run_text(runs[name]) + end
        file, table = name.split(".")
        return begin + table_text(runs[file]["tables"][table], references) + end

    return REGION.sub(region, text)


def pages(root: Path = ROOT) -> list[Path]:
    """README.md and every page below docs/."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def main(arguments: list[str] | None = None) -> int:
    """Rewrite or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 where a table is not current")
    check = parser.parse_args(arguments).check
    runs = read_runs()
    stale = [(page, new) for page in pages() if (new := rewritten(page.read_text(), runs)) != page.read_text()]
    for page, new in stale:
        print(f"{page.relative_to(ROOT)}: {'not current; run docs/tools/make_tables.py' if check else 'written'}")
        if not check:
            page.write_text(new)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
