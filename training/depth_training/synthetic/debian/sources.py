# SPDX-License-Identifier: Apache-2.0
"""The packages that textures are taken from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A Debian package.

    textures: at most that many are kept. photographs: large pictures, of which several crops are taken; otherwise
    pictures of surfaces. licence: of all its pictures, read from a copyright file that is free text; empty where the
    file is machine-readable, so that each picture has its own. folder: part of the paths that count.
    """

    name: str
    textures: int
    photographs: bool = False
    licence: str = ""
    folder: str = ""


SOURCES = (
    Source("plasma-workspace-wallpapers", 70, photographs=True),
    Source("gnome-backgrounds", 30, photographs=True, licence="GPL-2+ and CC-BY-SA-3.0"),
    Source("mate-backgrounds", 45, photographs=True),
    Source("lomiri-wallpapers-16.04", 45, photographs=True),
    Source("lomiri-wallpapers-20.04", 12, photographs=True),
    Source("ufoai-textures", 260),
    Source("supertuxkart-data", 240),
    Source("nexuiz-textures", 180, licence="GPL-2+"),
    Source("redeclipse-data", 200),
    Source("openarena-081-textures", 120),
    Source("flightgear-data-base", 80, folder="/Terrain"),
)
