# SPDX-License-Identifier: Apache-2.0
"""What a picture's path says about it: no surface at all, or a category of the texture bank."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

# Endings of names: normal, bump, gloss, glow ... maps of another picture.
_MAP = re.compile(
    r"([_-][nsrhgz]$|[_-](nm|sm|gl|nrm|norm|normal|normals|normalmap|bump|local|gloss|glow|luma|spec|specular|rough|"
    r"roughness|metallic|metalness|ao|disp|height|reflect|alpha|mask|shadow|blend|lightmap|pbr|gloss_map|"
    r"gm|glossmap|emit|emission|em|n2|nmap|pbrdata|masks?)|normals?|heightmap|elevation|wicked\w*\d[ns])\d*$"
)
_NO_SURFACE = re.compile(
    r"icon|logo|preview|screenshot|thumb|levelshot|crosshair|flare|corona|particle|explo|smoke|beam|caulk|nodraw|"
    r"[/_-]clip|trigger|minimap|splash|font|button|cursor|flag|speedo|counter|watermark|decal|lightmap|shadow|banner|"
    r"[/_-](hud|menu)|/(karts?|gui|skins|doc|editor|cars?|help|gfx|sprites?|maps|mapobjects|heightmaps?|weapons|vanities|"
    r"projectiles|actors|models|keys|caustics)/"
)
# The first pattern found in the path decides, the file's own name before its folder's.
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("sky", r"sky|cloud|(^|/)env|nebula|skies|panorama|landscapes?/"),
        ("asphalt", r"asphalt|road|street|tarmac|(^|[_-])tar|runway"),
        ("grass", r"grass|lawn|turf|meadow|crop"),
        ("brick", r"brick|brk|(^|[_-])bri"),
        ("roof", r"roof|shingle|thatch"),
        ("bark", r"bark|trunk"),
        ("foliage", r"lea[fv]|foliage|tree|bush|hedge|forest|ivy|plant|flower|moss|herb|jungle"),
        ("wood", r"wood|plank|oak|timber|parquet|bamboo|(^|[_-])door"),
        ("concrete", r"crete|concrt|cement|bunker"),
        ("plaster", r"plaster|stucco|adobe"),
        ("paving", r"pav(e|ing)|cobble|sidewalk|tiles?\d|tile|slab|marble|kerb|curb"),
        ("gravel", r"gravel|pebble|(^|[_-])ground|dirt|mud|sand|soil|terrain|earth|desert|grnd"),
        ("stone", r"stone|rock|cliff|granite|block"),
        ("snow", r"snow|ice|frost|glacier"),
        ("metal", r"met(al)?|mtl|rust|steel|iron|alu|tin|grate|rivet"),
        ("fabric", r"carpet|cloth|fabric|curtain|rug|textile|leather|wool|tatami|sofa"),
        ("facade", r"facade|building|house|window|haus|hangar|city|urban|shop"),
        ("print", r"sign|poster|pics|art_|book|paper|label|dvds|box\d"),
        ("paint", r"paint"),
        ("floor", r"floor|flr"),
        ("wall", r"wall|panel"),
    )
)


def is_surface(path: str) -> bool:
    """False for names of maps (normals, gloss ...), parts of user interfaces and effects."""
    lower = path.lower()
    return not (_MAP.search(PurePosixPath(lower).stem) or _NO_SURFACE.search(f"/{lower}"))


def kind_of(path: str) -> str:
    """Category of a texture by its name, else by its folder, else "surface"."""
    whole = PurePosixPath(path.lower())
    for part in (whole.stem, whole.parent.name):
        for kind, pattern in _KINDS:
            if pattern.search(part):
                return kind
    return "surface"
