# SPDX-License-Identifier: Apache-2.0
"""Licences of a package's files, read from Debian's machine-readable copyright file (DEP-5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path, PurePosixPath

# Free licences without a clause against commercial use or changed works.
ALLOWED = re.compile(
    r"(L?GPL|CC0|CC-BY(-SA)?-\d|public-domain|Expat|MIT|BSD|ISC|zlib|Apache|Artistic|permissive)", re.IGNORECASE
)
HEADER = "Format: http"


@dataclass(frozen=True)
class Stanza:
    """Files and the short name of their licence; `exact` holds path endings, `wild` patterns with * or ?."""

    exact: frozenset[str]
    wild: tuple[re.Pattern[str], ...]
    licence: str

    @classmethod
    def of(cls, patterns: list[str], licence: str) -> Stanza:
        """Patterns speak of the source tree, where a file may lie deeper than when installed.

        So leading folders of a pattern may be missing in a path, all of them where it names a single file.
        """
        exact, wild = set(), []
        for pattern in patterns:
            parts = PurePosixPath(pattern).parts
            if "*" not in pattern and "?" not in pattern:
                exact.update("/".join(parts[k:]) for k in range(len(parts)))
            else:
                ends = ("/".join(parts[k:]) for k in range(max(1, len(parts) - 1)))
                wild.extend(re.compile(translate("*/" + end)) for end in ends)
        return cls(frozenset(exact), tuple(wild), licence)

    def holds(self, path: str) -> bool:
        """True if one of the patterns fits an installed path."""
        parts = PurePosixPath(path).parts
        return any("/".join(parts[k:]) in self.exact for k in range(len(parts))) or any(
            pattern.match(f"/{path}") for pattern in self.wild
        )


def is_allowed(licence: str) -> bool:
    """True when one alternative ("or") of a licence name consists of allowed licences ("and") only."""
    alternatives = re.split(r"\s+or\s+", licence.replace("|", " or "))
    return any(all(ALLOWED.match(part.strip(" ,")) for part in re.split(r"\s+and\s+|,", one)) for one in alternatives)


def read_stanzas(copyright_file: Path) -> list[Stanza]:
    """The Files paragraphs of a copyright file, in order; none if the file is free text."""
    text = copyright_file.read_text("utf-8", "replace").lstrip()
    if not text.startswith(HEADER):
        return []
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*((?:.*\n?)(?:[ \t]+.*\n?)*)", paragraph, re.MULTILINE))
        if "Files" in fields and "License" in fields:
            found.append(Stanza.of(fields["Files"].split(), fields["License"].splitlines()[0].strip()))
    return found


def licence_of(path: str, stanzas: list[Stanza]) -> str:
    """Licence of a file of the package; "" where no paragraph names it. As in DEP-5 the last match counts."""
    return next((stanza.licence for stanza in reversed(stanzas) if stanza.holds(path)), "")
