# SPDX-License-Identifier: Apache-2.0
"""The packages that textures are taken from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PackageSource:
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
    PackageSource("plasma-workspace-wallpapers", 70, photographs=True),
    PackageSource("gnome-backgrounds", 30, photographs=True, licence="GPL-2+ and CC-BY-SA-3.0"),
    PackageSource("mate-backgrounds", 45, photographs=True),
    PackageSource("lomiri-wallpapers-16.04", 45, photographs=True),
    PackageSource("lomiri-wallpapers-20.04", 12, photographs=True),
    PackageSource("ufoai-textures", 260),
    PackageSource("supertuxkart-data", 240),
    PackageSource("nexuiz-textures", 180, licence="GPL-2+"),
    PackageSource("redeclipse-data", 200),
    PackageSource("openarena-081-textures", 120),
    PackageSource("flightgear-data-base", 80, folder="/Terrain"),
)
