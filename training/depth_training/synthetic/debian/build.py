# SPDX-License-Identifier: Apache-2.0
"""Builds the archive of textures and the list of what it was made from."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from depth_runtime.tables import markdown_table
from tqdm import tqdm

from ..pack import encode, write_encoded
from ..procedural import make_texture
from .licences import is_allowed, licence_of, read_stanzas
from .packages import Package
from .pictures import Picture, pictures_in
from .select import Seen, Texture, textures_of
from .sources import PackageSource

COMPUTED = (
    "facade",
    "shop",
    "print",
    "fabric",
    "skin",
    "hair",
    "paint",
    "foliage",
    "asphalt",
    "sky",
    "bark",
    "plaster",
)

ENTRY_BYTES = 1000  # of category, origin and place in the archive, per texture


@dataclass(frozen=True)
class Taken:
    """An encoded texture of the archive and where it is from."""

    jpeg: bytes
    kind: str
    package: str
    version: str
    licence: str
    path: str


def take(source: PackageSource, package: Package, seen: Seen, seed: int) -> list[Taken]:
    """Textures of one package, in order of preference. Raises ValueError when it tells no licence."""
    with package.unpacked() as folder:
        stanzas = read_stanzas(_copyright(folder, package.name))
        if not (stanzas or source.licence):
            raise ValueError(f"expected a machine-readable copyright file in {package.place}, got free text")
        licence = lambda path: source.licence or licence_of(path, stanzas)  # noqa: E731
        allowed: list[Picture] = [
            p for p in pictures_in(folder) if source.folder in p.path and is_allowed(licence(p.path))
        ]
        rng = random.Random(f"{seed} {source.name}")
        found = textures_of(allowed, source.photographs, seen, rng)
        bar = tqdm(islice(found, source.textures), total=source.textures, desc=source.name, unit="texture")
        return [_taken(texture, package, licence(texture.path)) for texture in bar]


def computed(per_kind: int, seed: int) -> list[Taken]:
    """Computed textures of kinds that packages lack."""
    made = (
        Texture(make_texture(kind, seed + i), kind, f"{kind}/{seed + i}") for i in range(per_kind) for kind in COMPUTED
    )
    return [_taken(texture, Package("computed", "-", Path()), "Apache-2.0") for texture in made]


def fitting(groups: Sequence[list[Taken]], limit_bytes: int) -> list[Taken]:
    """As many textures as fit, an equal number of each group, the preferred ones first."""
    ranked = sorted(
        ((i + 0.5) / len(group), number, i) for number, group in enumerate(groups) for i in range(len(group))
    )
    chosen, size = [], 0
    for _, number, i in ranked:
        size += len(groups[number][i].jpeg) + ENTRY_BYTES
        if size > limit_bytes:
            break
        chosen.append((number, i))
    return [groups[number][i] for number, i in sorted(chosen)]


def write(out: Path, textures: list[Taken]) -> None:
    """Write the archive OUT.npz and beside it OUT.md, a table of packages, versions, licences and counts."""
    origins = [f"{t.package}:{t.path}" for t in textures]
    write_encoded(out, [t.jpeg for t in textures], [t.kind for t in textures], origins)
    rows = Counter((t.package, t.version, t.licence) for t in textures)
    table = markdown_table(
        ("package", "version", "licence", "textures"),
        [(*origin, str(count)) for origin, count in sorted(rows.items())],
        text_columns=range(4),
    )
    kinds = ", ".join(f"{kind} {n}" for kind, n in Counter(t.kind for t in textures).most_common())
    out.with_suffix(".md").write_text(f"{table}\n\nKinds: {kinds}.\n")


def _taken(texture: Texture, package: Package, licence: str) -> Taken:
    return Taken(encode(texture.image), texture.kind, package.name, package.version, licence, texture.path)


def _copyright(folder: Path, name: str) -> Path:
    place = folder / "usr/share/doc" / name / "copyright"
    if not place.is_file():
        raise ValueError(
            f"expected {place.relative_to(folder)} in the package {name}, got none; is it a Debian package?"
        )
    return place
