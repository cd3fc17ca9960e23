# SPDX-License-Identifier: Apache-2.0
"""Relative links and anchors of markdown files, as GitHub reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]+))?\)")
CODE = re.compile(r"^```.*?^```|``.*?``|`[^`]*`", re.DOTALL | re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


class Link(NamedTuple):
    """target: absolute path of a file or folder, which need not exist; anchor without #, or empty."""

    target: Path
    anchor: str


def relative_links(page: Path) -> list[Link]:
    """Every link of a markdown file that is not a URL; one within the page has the page itself as its target."""
    found = LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))
    return [Link((page.parent / path).resolve() if path else page.resolve(), anchor) for path, anchor in found]


def anchors(page: Path) -> set[str]:
    """The anchors of a markdown file's headings: lower case, spaces to hyphens, without punctuation."""
    headings = HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
