# SPDX-License-Identifier: Apache-2.0
"""What pip installs from each package: commands, modules, launch files and every network of the zoo."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROS_PACKAGES = ("depth_bringup", "depth_nodes", "depth_replay", "depth_runtime", "depth_zoo")
ROBOT_COMMANDS = {"stereo_node", "depth_replay", "depth_runtime"}
TRAINING_COMMANDS = {"depth_export", "depth_training"}


def tracked(repository: Path) -> list[Path]:
    """Files of the checkout that git knows or would add, relative to its root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in listing.split("\0") if name and (repository / name).exists()]


@pytest.fixture(scope="module")
def source(repository, tmp_path_factory) -> Path:
    """A copy of the source tree, so that building leaves nothing behind and no old build folder is picked up."""
    if shutil.which("git") is None or not (repository / ".git").exists():
        pytest.skip("not a git checkout, so the files to package are not known")
    copy = tmp_path_factory.mktemp("source")
    for path in tracked(repository):
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(repository / path, copy / path, follow_symlinks=False)
    return copy


@pytest.fixture(scope="module")
def installed(source, tmp_path_factory) -> Path:
    """Folder into which pip installed all packages of the house without what they depend on."""
    pytest.importorskip("pip", reason="pip is not installed")
    target = tmp_path_factory.mktemp("installed")
    packages = [str(source / "ros2_ws" / "src" / name) for name in ROS_PACKAGES] + [str(source)]
    # Without --ignore-installed pip would first uninstall these packages from the environment that runs the tests.
    options = ["-q", "--no-deps", "--ignore-installed", "--prefix", str(target)]
    command = [sys.executable, "-m", "pip", "install", *options, *packages]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stderr
    return target


@pytest.mark.slow
def test_pip_brings_the_commands(installed):
    scripts = {path.name for path in (installed / "bin").iterdir()}
    assert scripts == ROBOT_COMMANDS | TRAINING_COMMANDS
    site = next(installed.glob("lib/python*/site-packages"))
    for name in scripts - {"stereo_node"}:
        command = [sys.executable, str(installed / "bin" / name), "--version"]
        environment = os.environ | {"PYTHONPATH": str(site)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert re.fullmatch(rf"{name} \d+\.\d+\.\d+\n", done.stdout), done.stderr


@pytest.mark.slow
def test_pip_brings_every_module_of_every_package(source, installed):
    site = next(installed.glob("lib/python*/site-packages"))
    roots = [source / "ros2_ws/src" / name for name in ("depth_runtime", "depth_nodes", "depth_replay")]
    roots += [source / name for name in ("models", "training", "export")]
    modules = {path.relative_to(root) for root in roots for path in root.glob("depth_*/**/*.py")}
    assert len(modules) > 30
    assert {path for path in modules if not (site / path).is_file()} == set()
    marks = {Path(name, "py.typed") for name in ("depth_runtime", "depth_nodes", "depth_replay")}
    assert {path for path in marks if not (site / path).is_file()} == set()


@pytest.mark.slow
def test_pip_brings_the_networks_with_their_cards_and_the_launch_files(source, installed):
    share = installed / "share"
    networks = [network.parent for network in source.glob("models/zoo/*/*.onnx")]
    expected = {f"{folder.name}/{path.name}" for folder in networks for path in folder.iterdir()}
    assert {path for path in expected if not (share / "depth_zoo" / path).is_file()} == set()
    assert (share / "depth_zoo" / "LICENSE").is_file()
    bringup = {
        path.relative_to(source / "launch")
        for folder in ("launch", "config", "rviz", "systemd")
        for path in (source / "launch" / folder).iterdir()
    }
    assert {Path("launch/stereo.launch.py"), Path("systemd/depth-stack@.service")} <= bringup
    assert {path for path in bringup if not (share / "depth_bringup" / path).is_file()} == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", ROS_PACKAGES)
def test_a_source_archive_holds_all_that_its_setup_py_reads(source, tmp_path, name):
    """Built in its own folder and unpacked elsewhere, as an index or a distribution does."""
    build = "from setuptools import build_meta; import sys; print(build_meta.build_sdist(sys.argv[1]))"
    folder = source / "ros2_ws" / "src" / name
    done = subprocess.run(
        [sys.executable, "-c", build, tmp_path], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    shutil.unpack_archive(next(tmp_path.glob("*.tar.gz")), tmp_path)
    unpacked = next(path for path in tmp_path.iterdir() if path.is_dir())
    ask = [sys.executable, "setup.py", "-q", "--name", "--version"]
    told = subprocess.run(ask, cwd=unpacked, capture_output=True, text=True, check=False)
    assert told.stdout.split() == [name, re.search("<version>(.+)</version>", (folder / "package.xml").read_text())[1]]


@pytest.mark.slow
def test_pip_registers_the_packages_where_ros_looks(installed):
    index = installed / "share/ament_index/resource_index/packages"
    assert {path.name for path in index.iterdir()} == set(ROS_PACKAGES)
    for name in ROS_PACKAGES:
        assert (installed / "share" / name / "package.xml").is_file()


@pytest.mark.slow
def test_installed_runtime_finds_an_installed_network(source, installed):
    names = [path.stem for path in source.glob("models/zoo/*/*.onnx")]
    if not names:
        pytest.skip("the zoo is empty")
    site = next(installed.glob("lib/python*/site-packages"))
    code = "from depth_runtime.zoo import resolve_model; import sys; print(resolve_model(sys.argv[1]))"
    environment = os.environ | {"PYTHONPATH": str(site), "AMENT_PREFIX_PATH": str(installed), "DEPTH_ZOO": ""}
    command = [sys.executable, "-c", code, names[0]]
    done = subprocess.run(command, env=environment, cwd=installed, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(installed / f"share/depth_zoo/{names[0]}/{names[0]}.onnx"), done.stderr


def test_colcon_takes_all_packages_for_ros_packages(repository):
    """A package.xml that does not validate would silently become plain Python, and ros2 launch would find nothing."""
    if shutil.which("colcon") is None:
        pytest.skip("colcon is not installed")
    command = ["colcon", "list"]
    listing = subprocess.run(command, cwd=repository / "ros2_ws", capture_output=True, text=True, check=True).stdout
    types = dict(re.findall(r"^(\S+)\s+\S+\s+\((\S+)\)$", listing, re.MULTILINE))
    assert types == dict.fromkeys(ROS_PACKAGES, "ros.ament_python")
