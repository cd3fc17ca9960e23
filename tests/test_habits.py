# SPDX-License-Identifier: Apache-2.0
"""What packages say about themselves: one version, true licences, a changelog, types, every ROS package they need."""

import importlib.metadata
import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HOMES = {
    "depth_bringup": "launch",
    "depth_nodes": "ros2_ws/src/depth_nodes",
    "depth_replay": "ros2_ws/src/depth_replay",
    "depth_runtime": "ros2_ws/src/depth_runtime",
    "depth_zoo": "models/zoo",
}
PYTHON_PACKAGES = ("depth_nodes", "depth_replay", "depth_runtime")
# What every rclpy brings along, so that no package.xml names them.
WITH_RCLPY = {"rclpy", "builtin_interfaces"}


@pytest.fixture
def version(repository) -> str:
    """The one source: `version` of the root's pyproject.toml."""
    return tomllib.loads((repository / "pyproject.toml").read_text())["project"]["version"]


def package_xml(repository: Path, name: str):
    catkin = pytest.importorskip("catkin_pkg.package", reason="catkin_pkg is not installed")
    return catkin.parse_package(str(repository / HOMES[name]))


@pytest.mark.parametrize("name", HOMES)
def test_package_xml_has_the_one_version(repository, version, name):
    assert package_xml(repository, name).version == version


@pytest.mark.parametrize("name", HOMES)
def test_setup_py_states_nothing_that_package_xml_states(repository, name):
    """A version, licence or description written there too could differ from package.xml."""
    setup = (repository / HOMES[name] / "setup.py").read_text()
    for key in ("version", "license", "description", "maintainer"):
        assert f'{key}=package.findtext("{key}")' in setup


def test_the_citation_has_the_one_version(repository, version):
    citation = (repository / "CITATION.cff").read_text()
    assert re.findall(r"^version: (\S+)$", citation, re.MULTILINE) == [version]


@pytest.mark.parametrize("distribution", ["depth-stack", *HOMES])
def test_installed_packages_know_their_version(version, distribution):
    try:
        installed = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{distribution} is not installed")
    assert installed == version


@pytest.mark.parametrize("name", HOMES)
def test_the_newest_release_of_the_changelog_has_the_one_version(repository, version, name):
    """A section that catkin_pkg cannot read is left out silently, so a misspelt heading shows here."""
    changelog = pytest.importorskip("catkin_pkg.changelog", reason="catkin_pkg is not installed")
    log = changelog.get_changelog_from_path(str(repository / HOMES[name]), name)
    assert log is not None, f"expected {HOMES[name]}/CHANGELOG.rst"
    assert next(iter(log.foreach_version()))[0] == version
    assert f"Changelog for package {name}\n" in log.rst
    unreleased = re.findall(r"^(.+)\n-+$", log.rst.split(f"\n{version} (")[0], re.MULTILINE)
    assert unreleased in ([], ["Forthcoming"])


def test_the_weights_are_for_research_and_the_code_is_free(repository):
    for name in HOMES:
        licences = [str(licence) for licence in package_xml(repository, name).licenses]
        assert licences == (["Research use only"] if name == "depth_zoo" else ["Apache-2.0"])
    for folder in ("models/zoo", "training/weights"):
        assert "Research use only" in (repository / folder / "LICENSE").read_text()


def test_the_zoos_licence_is_that_of_its_cards(repository):
    """When the last card no longer says research use, the licence of the package changes with it."""
    cards = sorted((repository / "models/zoo").glob("*/README.md"))
    assert cards
    for card in cards:
        assert re.search(r"\*\*.*licence of (these|the) weights.*research use", card.read_text(), re.I), card


@pytest.mark.parametrize("name", PYTHON_PACKAGES)
def test_every_ros_package_that_code_imports_stands_in_package_xml(repository, name):
    needed = {str(depend) for depend in package_xml(repository, name).exec_depends} | WITH_RCLPY
    imported = set()
    for path in (repository / HOMES[name] / name).rglob("*.py"):
        imported |= set(re.findall(r"^(?:from|import) (\w+_msgs|rcl\w+|depth_\w+)\b", path.read_text(), re.MULTILINE))
    assert imported - needed - {name} == set()


@pytest.mark.parametrize("name", PYTHON_PACKAGES)
def test_packages_carry_the_mark_of_typed_code(repository, name):
    """tests/test_packaging.py holds that pip installs it."""
    assert (repository / HOMES[name] / name / "py.typed").is_file()


def test_mypy_reads_every_typed_package(repository):
    files = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["mypy"]["files"]
    assert {Path(name).name for name in files} >= set(PYTHON_PACKAGES)


def test_the_hooks_run_what_make_lint_runs(repository):
    """The Makefile pins both tools; a hook that fetched its own would know other rules."""
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (repository / "Makefile").read_text(), re.MULTILINE)
    commands = re.findall(r"\$\(TEST_VENV\)/bin/(.+)", lint[1])
    hooks = re.findall(r"entry: \.venv-test/bin/(.+)", (repository / ".pre-commit-config.yaml").read_text())
    assert [hook.replace(" --force-exclude", "") for hook in hooks] == commands
