# SPDX-License-Identifier: Apache-2.0
"""Facts about the archive made from Debian packages: only free surface textures get in, and each is accounted for."""

from __future__ import annotations

import io
import random
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from depth_training.cli import main
from depth_training.synthetic import TextureBank
from depth_training.synthetic.debian.build import Taken, fitting
from depth_training.synthetic.debian.kinds import is_surface, kind_of
from depth_training.synthetic.debian.licences import Stanza, is_allowed, licence_of, read_stanzas
from depth_training.synthetic.debian.packages import download, find
from depth_training.synthetic.debian.select import Seen, shows_surface, square
from depth_training.synthetic.procedural import make_texture
from PIL import Image

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2010, Somebody
License: GPL-2+
 The text of the licence.

Files: base/textures/tex_base/brick7.jpg
 base/textures/closed/*
Copyright: 2011, Somebody Else
License: CC-BY-NC-3.0
"""


def _bytes(image: np.ndarray, suffix: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, {"jpg": "JPEG", "tga": "TGA", "png": "PNG"}[suffix])
    return stream.getvalue()


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> Path:
    """An unpacked ufoai-textures with an archive inside, of which two pictures are free textures of surfaces."""
    root = tmp_path_factory.mktemp("packages")
    package = root / "ufoai-textures_2.5-2"
    documents, data = package / "usr/share/doc/ufoai-textures", package / "usr/share/games/base"
    for folder in (documents, data):
        folder.mkdir(parents=True)
    (documents / "copyright").write_text(COPYRIGHT)
    brick, grass, wood = (make_texture(kind, 5) for kind in ("brick", "grass", "wood"))
    holes = np.dstack((grass, np.where(np.arange(512) < 200, 0, 255).astype(np.uint8)[None].repeat(512, 0)))
    members = {
        "textures/tex_base/brick1.jpg": _bytes(brick, "jpg"),
        "textures/tex_base/brick1_nm.jpg": _bytes(wood, "jpg"),
        "textures/tex_base/brick2.tga": _bytes(np.clip(brick * 1.1, 0, 255).astype(np.uint8), "tga"),
        "textures/tex_base/brick7.jpg": _bytes(wood, "jpg"),
        "textures/closed/wood.jpg": _bytes(wood, "jpg"),
        "textures/tex_nature/grass_a.tga": _bytes(grass, "tga"),
        "textures/tex_nature/leaves.png": _bytes(holes, "png"),
        "textures/tex_nature/small.jpg": _bytes(wood[:200], "jpg"),
        "textures/tex_nature/broken.jpg": b"no picture",
        "textures/tex_nature/grey.png": _bytes(np.full((512, 512, 3), 99, np.uint8), "png"),
    }
    with zipfile.ZipFile(data / "0textures.pk3", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return root


def _make(packages: Path, out: Path, computed: int = 0) -> None:
    main(["textures", "--packages", str(packages), "--out", str(out), "--computed", str(computed)])


def test_the_archive_holds_free_surface_textures_with_kind_and_origin(packages, tmp_path):
    _make(packages, tmp_path / "textures.npz", computed=1)
    archive = np.load(tmp_path / "textures.npz")
    taken = {
        o.rsplit("/", 1)[1]: k for o, k in zip(archive["origins"], archive["categories"], strict=True) if "pk3" in o
    }
    assert sorted(taken.values()) == ["brick", "grass"]
    assert taken["grass_a.tga"] == "grass"
    assert len(taken.keys() & {"brick1.jpg", "brick2.tga"}) == 1  # nearly the same picture
    bank = TextureBank.load(tmp_path / "textures.npz")
    assert bank.count == len(archive["origins"]) == 2 + 12
    assert "| ufoai-textures | 2.5-2 | GPL-2+ | 2 |" in (tmp_path / "textures.md").read_text()


def test_the_same_packages_give_the_same_archive(packages, tmp_path):
    for name in ("a", "b"):
        _make(packages, tmp_path / f"{name}.npz")
    assert np.array_equal(np.load(tmp_path / "a.npz")["data"], np.load(tmp_path / "b.npz")["data"])


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb")
def test_a_package_file_gives_what_its_folder_gives(packages, tmp_path):
    tree = tmp_path / "tree"
    shutil.copytree(packages / "ufoai-textures_2.5-2", tree)
    (tree / "DEBIAN").mkdir()
    control = "Package: ufoai-textures\nVersion: 3:2.5-2\nArchitecture: all\nMaintainer: A <a@b.org>\nDescription: x\n"
    (tree / "DEBIAN/control").write_text(control)
    (tmp_path / "debs").mkdir()
    subprocess.run(["dpkg-deb", "-b", tree, tmp_path / "debs/ufoai-textures_3%3a2.5-2_all.deb"], check=True)
    _make(packages, tmp_path / "a.npz")
    _make(tmp_path / "debs", tmp_path / "b.npz")
    assert np.array_equal(np.load(tmp_path / "a.npz")["data"], np.load(tmp_path / "b.npz")["data"])
    assert "| ufoai-textures | 3:2.5-2 |" in (tmp_path / "b.md").read_text()


def test_an_empty_folder_of_packages_is_refused_with_their_names(tmp_path):
    with pytest.raises((ValueError, SystemExit), match="ufoai-textures"):
        _make(tmp_path, tmp_path / "textures.npz")


def test_without_apt_the_error_tells_what_to_do_by_hand(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"apt-get.*--packages.*nexuiz-textures"):
        download(["nexuiz-textures"], tmp_path)


def test_a_package_is_found_by_its_whole_name(tmp_path):
    for name in ("torcs-data-tracks_1.0_all.deb", "torcs-data_1.3-5_all.deb"):
        (tmp_path / name).touch()
    assert find("torcs-data", tmp_path).version == "1.3-5"
    assert find("torcs", tmp_path) is None


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        *(("GPL-2+", True), ("CC-BY-SA-3.0", True), ("CC0-1.0", True), ("GFDL-1.2 or CC-BY-4.0", True)),
        *(("CC-BY-NC-4.0", False), ("CC-BY-NC-SA-3.0", False), ("CC-BY-ND-2.0", False), ("GFDL-1.2", False)),
        *(("GPL-2+ and CC-BY-NC-3.0", False), ("", False), ("unknown", False)),
    ],
)
def test_a_licence_is_allowed_if_one_alternative_is_wholly_free(licence, allowed):
    assert is_allowed(licence) is allowed


def test_the_last_paragraph_that_names_a_file_tells_its_licence(tmp_path):
    (tmp_path / "copyright").write_text(COPYRIGHT)
    stanzas = read_stanzas(tmp_path / "copyright")
    assert licence_of("usr/share/x.pk3/textures/tex_base/brick8.jpg", stanzas) == "GPL-2+"
    assert licence_of("usr/share/x.pk3/textures/tex_base/brick7.jpg", stanzas) == "CC-BY-NC-3.0"
    assert licence_of("usr/share/x.pk3/textures/closed/a/b.png", stanzas) == "CC-BY-NC-3.0"
    assert licence_of("a.png", [Stanza.of(["data/b.png"], "MIT")]) == ""
    (tmp_path / "copyright").write_text("All of it is free, says the author.\n")
    assert read_stanzas(tmp_path / "copyright") == []


@pytest.mark.parametrize(
    ("path", "surface", "kind"),
    [
        *(("t/eX/eX_wall_u207_bump.jpg", False, "wall"), ("t/evil8_floor/e8clangfloor03.jpg", True, "floor")),
        *(("t/tex_streets/2ln_cwtop_g2.png", True, "asphalt"), ("data/gui/icons/grass.png", False, "grass")),
        *(("t/egyptsoc_wall/stone09c.tga", True, "stone"), ("t/trak5/x1a.tga", True, "surface")),
        *(("skins/wood001_norm.tga", False, "wood"), ("backgrounds/x.png", True, "surface")),
    ],
)
def test_names_tell_maps_from_surfaces_and_what_a_surface_is(path, surface, kind):
    assert is_surface(path) is surface
    assert kind_of(path) == kind


def test_flat_drawn_and_normal_map_pictures_show_no_surface():
    stone = make_texture("stone", 3)
    normal_map = np.clip(np.array((128, 128, 245)) + (stone.astype(int) - 128) // 6, 0, 255).astype(np.uint8)
    drawn = np.full((512, 512, 3), 220, np.uint8)
    drawn[100:400, 120:300] = (200, 30, 30)
    assert shows_surface(stone)
    assert not shows_surface(normal_map)
    assert not shows_surface(drawn)
    assert not shows_surface((stone // 40 + 100).astype(np.uint8))


def test_a_copy_in_other_brightness_was_seen_and_another_picture_was_not():
    seen, rng = Seen(), random.Random(0)
    brick, stone = make_texture("brick", 1), make_texture("stone", 1)
    assert seen.is_new(brick)
    assert not seen.is_new(np.clip(brick * 0.8 + 9, 0, 255).astype(np.uint8))
    assert not seen.is_new(square(brick[::2, ::2], rng, 1.0))
    assert seen.is_new(stone)


def test_a_limit_thins_all_packages_alike_and_keeps_their_first():
    groups = [
        [Taken(bytes(9_000), "x", name, "1", "MIT", str(i)) for i in range(n)] for name, n in (("a", 40), ("b", 20))
    ]
    kept = fitting(groups, 300_000)
    assert [sum(t.package == name for t in kept) for name in "ab"] == [20, 10]
    assert [t.path for t in kept if t.package == "b"] == [str(i) for i in range(10)]
    assert fitting(groups, 10**6) == groups[0] + groups[1]
